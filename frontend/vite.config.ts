/** Builds the page into `dist` (the backend serves it) and proxies the API while developing. */
import { fileURLToPath } from 'node:url'
import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

const backend = process.env['DROID_BACKEND'] ?? 'http://127.0.0.1:8000'

// Everything that the backend answers. changeOrigin rewrites Host, and the Origin is rewritten
// too, because the backend refuses foreign hosts and origins.
const proxied = ['/health', '/system', '/metrics', '/examples', '/models', '/model', '/adapters', '/training', '/sessions', '/evaluation', '/fusion', '/notices', '/settings', '/diagnostics', '/openapi.json', '/api', '/v1']
const proxy = Object.fromEntries(
  [...proxied, '/ws'].map((path) => [
    path,
    { target: backend, changeOrigin: true, ws: path === '/ws', headers: { origin: backend } },
  ]),
)

const environmentOptions = { jsdom: { url: 'http://127.0.0.1:8000/' } }

export default defineConfig({
  base: './',
  plugins: [react(), tailwindcss()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  server: { host: '127.0.0.1', port: 5173, strictPort: true, proxy },
  build: { outDir: 'dist', emptyOutDir: true, sourcemap: false, target: 'es2022' },
  test: {
    setupFiles: ['./src/test/setup.ts'],
    css: { include: /tokens\.css/ },
    restoreMocks: true,
    unstubGlobals: true,
    // A document takes seconds to make: only components have one, the same for all that a worker
    // tests, and each `*.test.ts` that names `@vitest-environment jsdom` in its first line.
    projects: [
      { extends: true, test: { name: 'logic', environment: 'node', include: ['src/**/*.test.ts'], environmentOptions } },
      {
        extends: true,
        test: { name: 'components', environment: 'jsdom', isolate: false, include: ['src/**/*.test.tsx'], environmentOptions },
      },
    ],
  },
})
