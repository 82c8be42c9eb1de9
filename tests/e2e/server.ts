// A real backend on a free port, with a data root of its own.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'

const CHECKOUT = resolve(import.meta.dirname, '..', '..')
const PYTHON = join(CHECKOUT, '.venv', 'bin', 'python')

export type Server = {
  readonly url: string
  readonly dataDir: string
  readonly get: (path: string) => Promise<unknown>
  readonly post: (path: string, body?: unknown) => Promise<Response>
  readonly kill: () => Promise<void>
  readonly stop: () => Promise<void>
}

export function newDataDir(): string {
  return mkdtempSync(join(tmpdir(), 'droid e2e '))
}

export async function startServer(
  dataDir = newDataDir(),
  port = 0,
  env: Readonly<Record<string, string>> = {},
): Promise<Server> {
  const child = spawn(PYTHON, ['-m', 'backend', '--port', String(port), '--data-dir', dataDir], {
    cwd: CHECKOUT,
    env: { DROID_SPARE_MINUTES: '0', ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const url = await readyUrl(child)
  const get = async (path: string) => (await fetch(url + path)).json() as Promise<unknown>
  const post = (path: string, body: unknown = {}) =>
    fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  return {
    url,
    dataDir,
    get,
    post,
    kill: () => ended(child, 'SIGKILL'),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      await post('/training/stop', { save: false, hold_queue: true })
      await ended(child, 'SIGTERM')
    },
  }
}

async function readyUrl(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('The server has no output to read.')
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('Listening on ')) return line.slice('Listening on '.length).trim()
  }
  throw new Error(`The server ended with ${String(child.exitCode)} before it was ready.`)
}

async function ended(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill(signal)
  await exit
}
