/** Brings the server back when it ends by itself, on the same address so that the page reconnects. */
import { setTimeout as delay } from 'node:timers/promises'

import { describeEnd, type Backend } from './backend'
import type { Log } from '../log'

const RESTARTS = 3
const WITHIN = 60_000
/** Before each of them: at once, then with a growing pause. */
const PAUSES = [0, 1_000, 4_000] as const

export type Watch = {
  readonly current: () => Backend
  /** From now on an end is wanted, and nothing is restarted. Resolves when the server is gone. */
  readonly stop: () => Promise<void>
}

const wait = (milliseconds: number, signal: AbortSignal) => delay(milliseconds, undefined, { signal })

type Options = {
  readonly restart: (port: number) => Promise<Backend>
  /** Called once, with a sentence, when restarting has been tried in vain. */
  readonly onGivenUp: (reason: string) => void
  readonly log: Log
  readonly now?: () => number
  readonly pause?: (milliseconds: number, signal: AbortSignal) => Promise<unknown>
}

export function watchBackend(
  first: Backend,
  { restart, onGivenUp, log, now = Date.now, pause = wait }: Options,
): Watch {
  let current = first
  const stopped = new AbortController()
  let stopping = false
  let restarting: Promise<void> = Promise.resolve()
  const restarts: number[] = []

  const follow = (backend: Backend) => {
    void backend.ended.then((end) => {
      if (stopping) return
      const what = `The local server ${describeEnd(end)}.`
      log.write('shell', what)
      const recent = restarts.filter((at) => now() - at < WITHIN)
      if (recent.length >= RESTARTS) {
        onGivenUp(`${what} It was restarted ${RESTARTS} times within a minute.`)
        return
      }
      restarts.push(now())
      restarting = again(backend.url, PAUSES[recent.length] ?? 0)
    })
  }

  const again = async (url: string, milliseconds: number) => {
    try {
      if (milliseconds > 0) await pause(milliseconds, stopped.signal)
      if (stopping) return
      current = await restart(Number(new URL(url).port))
      log.write('shell', `The local server is back on ${current.url}.`)
      if (!stopping) follow(current)
    } catch (error) {
      if (!stopping) onGivenUp(error instanceof Error ? error.message : String(error))
    }
  }

  follow(first)
  return {
    current: () => current,
    stop: async () => {
      stopping = true
      stopped.abort()
      await restarting
      await current.stop()
    },
  }
}
