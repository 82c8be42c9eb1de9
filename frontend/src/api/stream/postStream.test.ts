// @vitest-environment jsdom
import { expect, test, vi } from 'vitest'
import { postStream, StreamRefused } from './postStream'
import type { ServerEvent } from './sse'

const bytes = new TextEncoder()

function body(pieces: readonly Uint8Array[], { open = false, onCancel = () => {} }: { open?: boolean; onCancel?: () => void } = {}) {
  return new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece)
      if (!open) controller.close()
    },
    cancel: onCancel,
  })
}

async function heard(signal = new AbortController().signal): Promise<ServerEvent[]> {
  const found: ServerEvent[] = []
  for await (const events of postStream('/models/compare', { prompt: 'x' }, signal)) found.push(...events)
  return found
}

test('a letter that is cut in two between pieces stays whole', async () => {
  const whole = bytes.encode('event: token\ndata: {"text":"🛶"}\n\n')
  const cut = whole.indexOf(0xf0) + 2
  vi.stubGlobal('fetch', async (request: Request) => {
    expect(request.method).toBe('POST')
    expect(await request.json()).toEqual({ prompt: 'x' })
    return new Response(body([whole.slice(0, cut), whole.slice(cut)]))
  })
  expect(await heard()).toEqual([{ event: 'token', data: '{"text":"🛶"}' }])
})

test('a refusal says what the server said', async () => {
  const refusal = { error: 'WrongState', detail: 'A run is active.', hint: 'Wait.', errors: [{ field: 'targets.1', message: 'No.' }] }
  vi.stubGlobal('fetch', async () => new Response(JSON.stringify(refusal), { status: 409 }))
  const error = await heard().catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(StreamRefused)
  expect((error as StreamRefused).problem).toMatchObject({ status: 409, detail: 'A run is active.', fields: { 'targets.1': 'No.' } })
})

test('a server that is not there is offline, not a crash', async () => {
  vi.stubGlobal('fetch', async () => Promise.reject(new TypeError('refused')))
  const error = await heard().catch((thrown: unknown) => thrown)
  expect((error as StreamRefused).problem.offline).toBe(true)
})

test('who stops listening ends the stream behind it', async () => {
  let cancelled = false
  const stream = body([bytes.encode('data: 1\n\n')], { open: true, onCancel: () => { cancelled = true } })
  vi.stubGlobal('fetch', async () => new Response(stream))
  for await (const events of postStream('/x', {}, new AbortController().signal)) {
    expect(events).toHaveLength(1)
    break
  }
  await vi.waitFor(() => expect(cancelled).toBe(true))
})
