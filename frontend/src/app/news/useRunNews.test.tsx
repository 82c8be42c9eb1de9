import { act, waitFor } from '@testing-library/react'
import { expect, test, vi } from 'vitest'
import { framesReceived } from '@/api/stream/streamEvents'
import { renderPage, serve } from '@/test/render'
import { useRunNews } from './useRunNews'

function Page() {
  useRunNews()
  return null
}

const state = (name: string) =>
  framesReceived({
    at: 0,
    frames: [
      {
        type: 'training_state',
        seq: 1,
        epoch: 'e',
        session_id: 's',
        data: { state: name, session_id: 's', config: { adapter_name: 'captain' }, metrics: {} },
      } as never,
    ],
  })

async function notified({ hidden, wanted }: { readonly hidden: boolean; readonly wanted: boolean }) {
  const shown: string[] = []
  class Fake {
    static readonly permission = 'granted'
    onclick = null
    constructor(title: string) {
      shown.push(title)
    }
  }
  vi.stubGlobal('Notification', Fake)
  vi.spyOn(document, 'hidden', 'get').mockReturnValue(hidden)
  const calls = serve({ 'GET /settings': { body: { notifications: wanted } } })
  const { store } = renderPage(<Page />)
  await waitFor(() => expect(calls.length).toBe(1))
  await act(() => new Promise((done) => setTimeout(done, 0)))
  for (const name of ['completed', 'running', 'completed']) act(() => void store.dispatch(state(name)))
  return shown
}

test('a run that ends unseen is told once', async () => {
  expect(await notified({ hidden: true, wanted: true })).toEqual(['captain finished'])
})

test('nothing is told to whoever looks at the page, or wants none', async () => {
  expect(await notified({ hidden: false, wanted: true })).toEqual([])
  expect(await notified({ hidden: true, wanted: false })).toEqual([])
})
