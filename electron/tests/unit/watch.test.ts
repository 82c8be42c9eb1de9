import { expect, test } from 'vitest'

import { startBackend, type Backend, type Ended } from '../../src/server/backend'
import { watchBackend, type Watch } from '../../src/server/watch'
import { fakeLaunch } from './given'

test('a server that dies comes back on the same address', async () => {
  const { launch, happened } = fakeLaunch()
  const first = await startBackend(launch)
  let watch: Watch | undefined
  const back = new Promise<Backend>((resolve, reject) => {
    watch = watchBackend(first, {
      restart: async (port) => {
        const backend = await startBackend(launch, { port })
        resolve(backend)
        return backend
      },
      onGivenUp: reject,
      log: launch.log,
    })
  })
  await fetch(`${first.url}/die`).catch(() => undefined)
  const second = await back
  expect(second.url).toBe(first.url)
  expect(second.pid).not.toBe(first.pid)
  await watch?.stop()
  expect(happened()).toEqual(['started', 'started', 'SIGTERM'])
})

test('the fourth end within a minute is told instead of restarted', async () => {
  const { given, ends, restarts } = scripted()
  for (let end = 0; end < 3; end += 1) await ends({ code: 1, signal: null })
  expect(restarts()).toBe(3)
  await ends({ code: null, signal: 'SIGKILL' })
  expect(restarts()).toBe(3)
  expect(given).toEqual([
    'The local server was ended by SIGKILL. It was restarted 3 times within a minute.',
  ])
})

test('each restart within a minute waits longer, and a stop does not wait for it', async () => {
  const { pauses, ends, watch, restarts } = scripted()
  for (let end = 0; end < 3; end += 1) await ends({ code: 1, signal: null })
  expect(pauses).toEqual([1_000, 4_000])
  await watch.stop()
  expect(restarts()).toBe(3)
})

test('ends that lie more than a minute apart are restarted each time', async () => {
  const { given, ends, restarts, later } = scripted()
  for (let end = 0; end < 6; end += 1) {
    await ends({ code: 1, signal: null })
    later(30_001)
  }
  expect(restarts()).toBe(6)
  expect(given).toEqual([])
})

test('after a wanted stop nothing is restarted', async () => {
  const { watch, ends, restarts } = scripted()
  await watch.stop()
  await ends({ code: 0, signal: null })
  expect(restarts()).toBe(0)
})

/** A watch over servers that end when the test says so. */
function scripted() {
  let endCurrent: (end: Ended) => void = () => undefined
  let time = 0
  let count = 0
  const given: string[] = []
  const pauses: number[] = []
  const backend = (): Backend => ({
    url: 'http://127.0.0.1:1234',
    pid: 1,
    ended: new Promise((resolve) => {
      endCurrent = resolve
    }),
    stop: async () => undefined,
  })
  const watch = watchBackend(backend(), {
    restart: async () => {
      count += 1
      return backend()
    },
    onGivenUp: (reason) => given.push(reason),
    log: fakeLaunch().launch.log,
    now: () => time,
    pause: async (milliseconds) => {
      pauses.push(milliseconds)
    },
  })
  return {
    watch,
    given,
    pauses,
    restarts: () => count,
    later: (by: number) => {
      time += by
    },
    ends: async (end: Ended) => {
      endCurrent(end)
      await new Promise(setImmediate) // lets the watch's promises run
    },
  }
}
