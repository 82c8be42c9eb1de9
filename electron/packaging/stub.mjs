/**
 * What stands in for Electron's own files while a package is put together and looked at. It has what
 * the packager touches (the fuses' marker in the program, a valid `default_app.asar`) and can't run.
 */
import { Buffer } from 'node:buffer'
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPackage } from '@electron/asar'

// Electron's documentation of fuses: this marker, version 1, the number of fuses, one byte for each.
const MARKER = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX'
const FUSES = '101000011'

/** The folder of a stub of that version, on Linux. */
export async function makeStub(version) {
  if (process.platform !== 'linux') throw new Error('The stub is made on Linux only: install Electron.')
  const folder = mkdtempSync(join(tmpdir(), 'droid-stub-'))
  for (const name of ['locales', 'resources']) mkdirSync(join(folder, name))
  const program = Buffer.concat([
    Buffer.from('This is no Electron.\n'), Buffer.from(MARKER), Buffer.from([1, FUSES.length]), Buffer.from(FUSES),
  ])
  writeFileSync(join(folder, 'electron'), program)
  chmodSync(join(folder, 'electron'), 0o755)
  for (const name of ['LICENSE', 'LICENSES.chromium.html']) writeFileSync(join(folder, name), 'stub\n')
  writeFileSync(join(folder, 'version'), version)
  const app = mkdtempSync(join(tmpdir(), 'droid-stub-app-'))
  writeFileSync(join(app, 'package.json'), '{"name": "stub", "main": "main.js"}')
  await createPackage(app, join(folder, 'resources', 'default_app.asar'))
  return folder
}
