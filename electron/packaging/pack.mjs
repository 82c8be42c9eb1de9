/**
 * `node pack.mjs [--dir] [--stub]`: the desktop app as packages, or with `--dir` unpacked; what is in
 * it is checked then. `--stub` packs around a program that is no Electron, where none can be had.
 * `npm run dist` and `npm run dist:dir` prepare what it needs (`scripts/desktop`) and call it.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build, Platform } from 'electron-builder'

import { faultsOf } from './inspect.mjs'
import { makeStub } from './stub.mjs'

const project = resolve(import.meta.dirname, '..')
const config = JSON.parse(readFileSync(join(project, 'electron-builder.json'), 'utf-8'))
const manifest = JSON.parse(readFileSync(join(project, 'package.json'), 'utf-8'))
const unpacked = process.argv.includes('--dir')
const platform = Platform.current()

config.electronVersion = manifest.devDependencies.electron
const program = resolve(project, '..', 'node_modules', 'electron', 'dist')
if (process.argv.includes('--stub')) config.electronDist = await makeStub(config.electronVersion)
else if (existsSync(program)) config.electronDist = program // as installed; else it is downloaded
const { DROID_HOMEPAGE: homepage } = process.env // A deb must name one, and it is the owner's.
if (homepage) config.extraMetadata = { homepage }
else config.linux.target = config.linux.target.filter((target) => target !== 'deb')

const made = await build({
  projectDir: project,
  config,
  publish: 'never',
  ...(unpacked && { targets: platform.createTarget('dir') }),
})
for (const file of made) process.stdout.write(`${file}\n`)

const folder = platform === Platform.MAC ? 'mac-arm64' : 'linux-unpacked'
const faults = await faultsOf(join(project, config.directories.output, folder), config)
for (const fault of faults) process.stderr.write(`${fault}\n`)
process.exitCode = faults.length > 0 ? 1 : 0
