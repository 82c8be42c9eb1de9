/** Brings the server back when it ends by itself, on the same address so that the page reconnects. */
import { describeEnd, type Backend } from './backend'
import type { Log } from './log'

const RESTARTS = 3
const WITHIN = 60_000

export type Watch = {
  readonly current: () => Backend
  /** From now on an end is wanted, and nothing is restarted. Resolves when the server is gone. */
  readonly stop: () => Promise<void>
}

type Options = {
  readonly restart: (port: number) => Promise<Backend>
  /** Called once, with a sentence, when restarting has been tried in vain. */
  readonly onGivenUp: (reason: string) => void
  readonly log: Log
  readonly now?: () => number
}

export function watchBackend(
  first: Backend,
  { restart, onGivenUp, log, now = Date.now }: Options,
): Watch {
  let current = first
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
      restarting = again(backend.url)
    })
  }

  const again = async (url: string) => {
    try {
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
      await restarting
      await current.stop()
    },
  }
}
