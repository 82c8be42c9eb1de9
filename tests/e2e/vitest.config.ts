import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['tests/e2e/*.test.ts'],
    root: fileURLToPath(new URL('../..', import.meta.url)),
    fileParallelism: false, // one training run at a time on two cores
    testTimeout: 180_000,
    hookTimeout: 60_000,
  },
})
