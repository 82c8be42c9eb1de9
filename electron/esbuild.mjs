/**
 * Bundles the shell into two CommonJS files, because a sandboxed preload may be one file only.
 * With `--stand-in` it bundles the tests' Electron stand-in too.
 */
import { build } from 'esbuild'

const shared = {
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node24', // what Electron 45 carries
  absWorkingDir: import.meta.dirname,
  logLevel: 'warning',
}

await build({
  ...shared,
  entryPoints: { main: 'src/main.ts', preload: 'src/preload.ts' },
  outdir: 'dist',
  outExtension: { '.js': '.cjs' },
  external: ['electron'],
})

if (process.argv.includes('--stand-in')) {
  await build({
    ...shared,
    target: 'node20',
    entryPoints: { 'electron-shim': 'tests/stand-in/electronShim.ts' },
    outdir: 'dist/stand-in',
    outExtension: { '.js': '.cjs' },
    external: ['electron', 'playwright-core'],
  })
}
