/**
 * The Python environment of the packaged app: made on the first start, and again after an update,
 * with the `uv` that the package carries. What was made is kept by a stamp that is written last, so
 * an environment that was cut short is made anew.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

import { BackendFailure, cleanEnvironment, type Program } from './backend'
import type { Log } from '../log'

/** What a package holds for it (`resources/service`), and where the app keeps what it writes. */
export type Packaged = {
  readonly service: string
  readonly dataDir: string
  readonly env: NodeJS.ProcessEnv
  readonly log: Log
}

/** `step` says what is done now; `detail` is the last line that uv said. */
export type Progress = (step: string, detail: string) => void

const PYTHON = '>=3.11,<3.14'
const STAMP = '.droid-environment'
const FIRST = 'Setting up Python for the first start. This takes a few minutes and about 1 GB'

/** The Python and folder of the service; the environment is made first where it is not there. */
export async function preparedProgram(
  packaged: Packaged,
  { progress, signal }: { readonly progress: Progress; readonly signal: AbortSignal },
): Promise<Program> {
  const folder = join(packaged.dataDir, 'environment')
  const wheel = wheelOf(packaged.service)
  const lock = join(packaged.service, 'requirements.lock')
  const stamp = stampOf([wheel, lock])
  if (!isMade(folder, stamp)) {
    mkdirSync(packaged.dataDir, { recursive: true })
    rmSync(join(folder, STAMP), { force: true })
    const uv = (...args: string[]) => runUv(packaged, args, { progress, signal })
    await uv('venv', '--clear', '--python', PYTHON, folder)
    const python = ['--python', pythonOf(folder)]
    await uv('pip', 'install', ...python, '--compile-bytecode', '--require-hashes', '-r', lock)
    await uv('pip', 'install', ...python, '--compile-bytecode', '--no-deps', wheel)
    writeFileSync(join(folder, STAMP), stamp)
  }
  return { python: pythonOf(folder), checkout: packageOf(folder) }
}

/** What a user does about the last words of a failed step; null where only the words are known. */
export function remedyOf(words: string, dataDir: string): string | null {
  const remedies: readonly (readonly [RegExp, string])[] = [
    [/no space left|disk quota/i, `The disk is full. Free about 1 GB for ${dataDir}, then start the app again.`],
    [/permission denied|read-only file system/i, `${dataDir} can’t be written to. Allow it, then start the app again.`],
    [/hash mismatch/i, 'A package that was fetched is not the one this app was made with. Fetch the app again.'],
    [
      /no (matching|compatible)|no wheels|not compatible with|doesn't have .*wheel/i,
      'MLX has no version for this system: it needs macOS 14 or newer on Apple silicon, or Linux.',
    ],
    [
      /dns|connect|network|timed? ?out|failed to fetch|request failed|error sending request/i,
      'The packages could not be fetched. Go online, then start the app again; what was fetched is kept.',
    ],
  ]
  return remedies.find(([pattern]) => pattern.test(words))?.[1] ?? null
}

async function runUv(
  { service, dataDir, env, log }: Packaged,
  args: readonly string[],
  { progress, signal }: { readonly progress: Progress; readonly signal: AbortSignal },
): Promise<void> {
  signal.throwIfAborted()
  progress(FIRST, '')
  const child = spawn(join(service, 'uv'), [...args, '--color', 'never', '--no-config'], {
    cwd: dataDir,
    env: {
      ...cleanEnvironment(env),
      UV_CACHE_DIR: join(dataDir, '.cache', 'uv'),
      UV_PYTHON_INSTALL_DIR: join(dataDir, 'python'),
      VIRTUAL_ENV: undefined,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  })
  const lines: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      log.write('uv', line)
      if (line.trim() === '') return
      lines.push(line.trim())
      progress(FIRST, line.trim())
    })
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (error) => reject(signal.aborted ? error : unusable(error)))
    child.once('close', resolve)
  })
  signal.throwIfAborted()
  if (code === 0) return
  const words = lines.slice(-8).join('\n')
  const remedy = remedyOf(words, dataDir)
  const said = lines.at(-1) ?? `uv ended with code ${code}`
  throw new BackendFailure(`Python could not be set up. ${remedy ?? said}`)
}

function unusable(error: Error): BackendFailure {
  return new BackendFailure(`The package is damaged: ${error.message}. Fetch the app again.`)
}

function wheelOf(service: string): string {
  const wheel = existsSync(service) ? readdirSync(service).find((name) => name.endsWith('.whl')) : undefined
  if (wheel === undefined) {
    throw new BackendFailure(`The package is damaged: ${service} has no wheel. Fetch the app again.`)
  }
  return join(service, wheel)
}

function stampOf(files: readonly string[]): string {
  const hash = createHash('sha256')
  for (const file of files) hash.update(readFileSync(file))
  return hash.digest('hex')
}

function isMade(folder: string, stamp: string): boolean {
  try {
    return readFileSync(join(folder, STAMP), 'utf-8') === stamp && existsSync(pythonOf(folder))
  } catch {
    return false
  }
}

function pythonOf(folder: string): string {
  return join(folder, 'bin', 'python')
}

/** `lib/python3.x/site-packages/droid_finetuning`: it holds what a checkout holds. */
function packageOf(folder: string): string {
  const [version = ''] = readdirSync(join(folder, 'lib')).filter((name) => name.startsWith('python3'))
  return join(folder, 'lib', version, 'site-packages', 'droid_finetuning')
}
