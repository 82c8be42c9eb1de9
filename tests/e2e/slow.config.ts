import { defineConfig } from 'vitest/config'
import base from './vitest.config.ts'

/** What takes too long for every change: `npm run test:methods`. */
export default defineConfig({ test: { ...base.test, include: ['tests/e2e/slow/*.test.ts'] } })
