/**
 * The local server: found where one is running already, else started here and stopped on quit.
 * A training run is a process of its own and outlives both.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'

import type { Log } from '../log'
import { authorised } from './token'

export type Ended = { readonly code: number | null; readonly signal: NodeJS.Signals | null }

export type Backend = {
  readonly url: string
  /** The process started here; null for a server that somebody else started and will stop. */
  readonly pid: number | null
  /** Resolves when the process started here is gone; never for somebody else's. */
  readonly ended: Promise<Ended>
  /** Ends what was started here, and nothing else. Resolves when it is gone. */
  readonly stop: () => Promise<void>
}

/** The interpreter, and the folder that holds `backend`: a checkout, or the installed package. */
export type Program = { readonly python: string; readonly checkout: string }

export type Launch = Program & {
  readonly env: NodeJS.ProcessEnv
  readonly log: Log
  readonly token: () => string | undefined
  /** Milliseconds until a silent start counts as failed, and from SIGTERM to SIGKILL. */
  readonly startTimeout: number
  readonly stopGrace: number
}

/** The server can't be had. The message is for the user; the log holds the rest. */
export class BackendFailure extends Error {
  override readonly name = 'BackendFailure'
}

const READY = /^Listening on (http:\/\/\S+)$/
const PROBE_TIMEOUT = 2_000
const PROBE_PAUSE = 50

/** The server at `url`, if that is a loopback address and it answers as healthy. */
export async function findBackend(
  url: string | undefined,
  token?: string,
): Promise<Backend | null> {
  const origin = loopbackOrigin(url)
  if (origin === null || !(await isHealthy(origin, token))) return null
  return { url: origin, pid: null, ended: new Promise(() => undefined), stop: async () => undefined }
}

/** The address in `server.lock`, while the process that wrote it lives. */
export function recordedUrl(lockFile: string): string | undefined {
  try {
    const holder: unknown = JSON.parse(readFileSync(lockFile, 'utf-8'))
    if (typeof holder !== 'object' || holder === null) return undefined
    const { pid, url } = holder as { readonly pid?: unknown; readonly url?: unknown }
    if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid < 2) return undefined
    process.kill(pid, 0) // only asks; throws when there is nobody
    return typeof url === 'string' ? url : undefined
  } catch {
    return undefined // no lock, a torn one, or a server that is gone: start our own
  }
}

/** Starts `python -m backend` and resolves when it is healthy; an aborted start leaves nothing. */
export async function startBackend(
  launch: Launch,
  { port = 0, signal }: { readonly port?: number; readonly signal?: AbortSignal } = {},
): Promise<Backend> {
  signal?.throwIfAborted()
  const address = ['--host', '127.0.0.1', '--port', String(port)]
  const child = spawn(launch.python, ['-m', 'backend', ...address], {
    cwd: launch.checkout,
    env: cleanEnvironment(launch.env),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // Ctrl-C in a terminal reaches the shell only, which then ends it in order
  })
  const ended = new Promise<Ended>((resolve) => {
    child.once('error', () => {
      if (child.pid === undefined) resolve({ code: null, signal: null })
    })
    child.once('close', (code, ending) => {
      resolve({ code, signal: ending })
    })
  })
  const stop = () => end(child, ended, launch.stopGrace)
  const giveUp = AbortSignal.any([
    AbortSignal.timeout(launch.startTimeout),
    ...(signal ? [signal] : []),
  ])
  try {
    const url = await readyUrl(child, ended, launch, giveUp)
    await untilHealthy(url, launch.token, ended, giveUp)
    return { url, pid: child.pid ?? null, ended, stop }
  } catch (reason) {
    await stop()
    if (signal?.aborted) throw reason
    if (giveUp.aborted) {
      const seconds = Math.round(launch.startTimeout / 1000)
      throw new BackendFailure(`The local server was not ready after ${seconds} seconds.`)
    }
    throw reason
  }
}

/** Without what would change how Python or a child Electron starts. */
export function cleanEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const unwanted = /^(ELECTRON_.*|NODE_OPTIONS|PYTHONHOME|PYTHONPATH|PYTHONSTARTUP|DROID_URL)$/
  const kept = Object.entries(env).filter(([name]) => !unwanted.test(name))
  return { ...Object.fromEntries(kept), PYTHONUNBUFFERED: '1', PYTHONUTF8: '1' }
}

export async function isHealthy(url: string, token?: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/health`, {
      headers: authorised(token),
      signal: AbortSignal.timeout(PROBE_TIMEOUT),
    })
    const body: unknown = await answer.json()
    return answer.ok && typeof body === 'object' && body !== null && 'status' in body
      ? body.status === 'healthy'
      : false
  } catch {
    return false // not there, or not ours: both mean "not healthy"
  }
}

/** `http://127.0.0.1:8000` from any URL on this machine; null for every other. */
export function loopbackOrigin(url: string | undefined): string | null {
  if (url === undefined || !URL.canParse(url)) return null
  const { protocol, hostname, origin, username } = new URL(url)
  const local = ['127.0.0.1', 'localhost', '[::1]'].includes(hostname)
  return protocol === 'http:' && local && username === '' ? origin : null
}

export function describeEnd({ code, signal }: Ended): string {
  if (signal !== null) return `was ended by ${signal}`
  return code === null ? 'could not be started' : `ended with code ${code}`
}

async function readyUrl(
  child: ChildProcess,
  ended: Promise<Ended>,
  { log, python }: Launch,
  giveUp: AbortSignal,
): Promise<string> {
  const url = await new Promise<string>((resolve, reject) => {
    let lastLine = ''
    const read = (stream: NodeJS.ReadableStream | null) => {
      if (stream === null) return
      createInterface({ input: stream }).on('line', (line) => {
        log.write('server', line)
        if (line.trim() !== '') lastLine = line.trim()
        const said = READY.exec(line)?.[1]
        if (said !== undefined) resolve(said)
      })
    }
    read(child.stdout)
    read(child.stderr)
    child.once('error', (error: NodeJS.ErrnoException) => {
      reject(new BackendFailure(describeNoStart(error, python)))
    })
    void ended.then((end) => {
      const said = lastLine === '' ? '' : ` It said: ${lastLine}`
      reject(new BackendFailure(`The local server ${describeEnd(end)}.${said}`))
    })
    giveUp.addEventListener('abort', () => {
      reject(giveUp.reason as Error)
    })
  })
  const origin = loopbackOrigin(url)
  if (origin === null) {
    throw new BackendFailure('The local server listens on an address outside this machine.')
  }
  return origin
}

function describeNoStart(error: NodeJS.ErrnoException, python: string): string {
  if (error.code !== 'ENOENT') return `The local server could not be started: ${error.message}`
  return `There is no Python at ${python}. Run ./startmlxnew once; it sets it up.`
}

async function untilHealthy(
  url: string,
  token: () => string | undefined,
  ended: Promise<Ended>,
  giveUp: AbortSignal,
): Promise<void> {
  let end: Ended | null = null
  void ended.then((value) => {
    end = value
  })
  while (!(await isHealthy(url, token()))) {
    giveUp.throwIfAborted()
    if (end !== null) throw new BackendFailure(`The local server ${describeEnd(end)}.`)
    await delay(PROBE_PAUSE)
  }
}

async function end(child: ChildProcess, ended: Promise<Ended>, grace: number): Promise<void> {
  const running = child.pid !== undefined && child.exitCode === null && child.signalCode === null
  if (!running) return
  child.kill('SIGTERM')
  const force = setTimeout(() => child.kill('SIGKILL'), grace)
  await ended
  clearTimeout(force)
}
