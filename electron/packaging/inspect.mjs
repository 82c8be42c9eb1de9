/** What an unpacked package holds, against what it may hold, and the fuses of its program. */
import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { getRawHeader, listPackage } from '@electron/asar'
import { FuseV1Options, getCurrentFuseWire } from '@electron/fuses'

const ARCHIVE = ['/dist', '/dist/main.cjs', '/dist/preload.cjs', '/package.json']
const SERVICE = [/^droid_finetuning-[\w.]+-py3-none-any\.whl$/, /^requirements\.lock$/, /^uv$/]
const ON = '1'.charCodeAt(0)

/** A sentence for each fault of the package in `folder`; none for a good one. */
export async function faultsOf(folder, config) {
  const app = join(folder, `${config.productName}.app`)
  const isMac = existsSync(app)
  const resources = isMac ? join(app, 'Contents', 'Resources') : join(folder, 'resources')
  const program = isMac ? app : join(folder, config.linux.executableName)
  return [
    ...archiveFaults(join(resources, 'app.asar')),
    ...serviceFaults(join(resources, 'service')),
    ...(await fuseFaults(program, config.electronFuses)),
  ]
}

function archiveFaults(archive) {
  if (!existsSync(archive)) return [`${archive} is missing`]
  const names = listPackage(archive).sort()
  const odd = names.filter((name) => !ARCHIVE.includes(name)).map((name) => `${name} does not belong in app.asar`)
  const missing = ARCHIVE.filter((name) => !names.includes(name)).map((name) => `${name} is missing in app.asar`)
  const files = Object.values(getRawHeader(archive).header.files).flatMap((entry) => Object.values(entry.files ?? { entry }))
  const unsure = files.some((file) => file.integrity?.algorithm !== 'SHA256')
  return [...odd, ...missing, ...(unsure ? ['a file in app.asar has no SHA256 of its content'] : [])]
}

function serviceFaults(folder) {
  const names = existsSync(folder) ? readdirSync(folder) : []
  const missing = SERVICE.filter((kind) => !names.some((name) => kind.test(name)))
  const odd = names.filter((name) => !SERVICE.some((kind) => kind.test(name)))
  const faults = [
    ...missing.map((kind) => `resources/service has nothing like ${kind.source}`),
    ...odd.map((name) => `resources/service/${name} does not belong in it`),
  ]
  try {
    accessSync(join(folder, 'uv'), constants.X_OK)
  } catch {
    faults.push('resources/service/uv can’t be run')
  }
  return faults
}

async function fuseFaults(program, wanted) {
  const wire = await getCurrentFuseWire(program)
  return Object.entries(wanted)
    .filter(([name, on]) => (wire[FuseV1Options[name[0].toUpperCase() + name.slice(1)]] === ON) !== on)
    .map(([name, on]) => `the fuse ${name} is not ${on ? 'on' : 'off'}`)
}
