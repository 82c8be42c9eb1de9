import { describe, expect, test } from 'vitest'

import { answerCalls, isTrusted, linkedSession, type Calls } from '../../src/ipc'
import { callFrom, fakePort } from './fakePort'

const OWN = 'http://127.0.0.1:8123'

/** The handlers as registered, with calls that say what reached them. */
function answering(origin: string | null = OWN) {
  const { port, handlers } = fakePort()
  const reached: unknown[] = []
  const refused: string[] = []
  const keep =
    <T>(answer: T) =>
    async (...args: unknown[]) => {
      reached.push(args)
      return answer
    }
  const calls: Calls = {
    'file:open': keep('/data/train.jsonl'),
    'folder:open': keep('/data'),
    'file:save': keep('/data/out.csv'),
    'clipboard:read': keep('text'),
    'clipboard:write': keep(undefined),
    'run:show': keep(undefined),
    'run:notify': keep(undefined),
  }
  answerCalls({
    ipcMain: port.ipcMain,
    trustedOrigin: () => origin,
    calls,
    onRefused: (what) => refused.push(what),
  })
  const call = async (channel: keyof Calls, event = callFrom(`${OWN}/#/setup`), ...args: unknown[]) =>
    handlers.get(channel)?.(event, ...args)
  return { call, reached, refused, channels: [...handlers.keys()] }
}

describe('who may call', () => {
  test('our own page in the top frame', async () => {
    const { call } = answering()
    expect(await call('file:open')).toBe('/data/train.jsonl')
  })

  test.each([
    'https://127.0.0.1:8123/',
    'http://127.0.0.1:81231/',
    'http://127.0.0.1/',
    'http://localhost:8123/',
    'http://127.0.0.1:8123.evil.example/',
    'http://127.0.0.1:8123@evil.example/',
    'http://evil.example/?http://127.0.0.1:8123/',
    'file:///127.0.0.1:8123/',
    'data:text/html,http://127.0.0.1:8123',
    'about:blank',
    '',
  ])('%j is refused on every channel, and noted', async (url) => {
    const { call, channels, reached, refused } = answering()
    for (const channel of channels as (keyof Calls)[]) {
      await expect(call(channel, callFrom(url))).rejects.toThrow('is not available to')
    }
    expect(reached).toEqual([])
    expect(refused).toHaveLength(channels.length)
  })

  test('a frame inside our page is refused', () => {
    expect(isTrusted(callFrom(`${OWN}/`, {}), OWN)).toBe(false)
  })

  test('a frame that is gone is refused', () => {
    expect(isTrusted(callFrom(null), OWN)).toBe(false)
  })

  test('nobody is trusted before there is a server', async () => {
    const { call } = answering(null)
    await expect(call('clipboard:read')).rejects.toThrow('is not available')
  })
})

describe('what may be asked', () => {
  const own = callFrom(`${OWN}/`)

  test('only the named options get through', async () => {
    const { call, reached } = answering()
    const filters = [{ name: 'Data', extensions: ['jsonl', '*'], extra: 1 }]
    await call('file:open', own, { title: 'Open', filters, properties: ['multiSelections'] })
    expect(reached).toEqual([
      [{ title: 'Open', filters: [{ name: 'Data', extensions: ['jsonl', '*'] }] }],
    ])
  })

  test.each([
    ['text', 'options must be an object'],
    [[], 'options must be an object'],
    [{ title: 3 }, 'title must be one line'],
    [{ title: 'a\nb' }, 'title must be one line'],
    [{ startIn: 'x'.repeat(1025) }, 'startIn must be one line'],
    [{ filters: {} }, 'filters must be a list'],
    [{ filters: [{ name: 'x', extensions: ['../sh'] }] }, 'is not a file extension'],
    [{ filters: [{ extensions: ['txt'] }] }, 'name must be one line'],
  ])('options %j are refused', async (options, reason) => {
    const { call, reached } = answering()
    await expect(call('file:open', own, options)).rejects.toThrow(reason)
    expect(reached).toEqual([])
  })

  test.each(['../../.bashrc', '/etc/passwd', 'a\\b', '..', '.', '', 'a\u0000b', 7, undefined])(
    'a file named %j is refused',
    async (name) => {
      const { call, reached } = answering()
      await expect(call('file:save', own, name, 'text')).rejects.toThrow(TypeError)
      expect(reached).toEqual([])
    },
  )

  test.each([undefined, 5, {}])('text %j is refused', async (text) => {
    const { call } = answering()
    await expect(call('clipboard:write', own, text)).rejects.toThrow('text must be a string')
  })
})

test('a link names a run, and nothing else that the system hands over is taken', () => {
  expect(linkedSession('droid-finetuning://session/0c6ae53e-6a3c-4f27')).toBe('0c6ae53e-6a3c-4f27')
  for (const word of [
    'droid-finetuning://session/../settings',
    'droid-finetuning://session/',
    'droid-finetuning://open/0c6ae53e',
    'droid-finetuning://session/a?x=1',
    'http://session/a',
    '--session',
  ]) {
    expect(linkedSession(word), word).toBeNull()
  }
})

test.each([[{ fraction: 2, awake: true }], [{ fraction: Number.NaN, awake: true }], ['half'], [[0.5]]])(
  'a run of the form %j is refused',
  async (run) => {
    const { call, reached } = answering()
    await expect(call('run:show', undefined, run)).rejects.toThrow(/must be/)
    expect(reached).toEqual([])
  },
)
