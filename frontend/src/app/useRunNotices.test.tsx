import { act, waitFor } from '@testing-library/react'
import { expect, test, vi } from 'vitest'
import { framesReceived } from '@/api/streamEvents'
import { renderPage, serve } from '@/test/render'
import { useRunNotices } from './useRunNotices'

function Page() {
  useRunNotices()
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
        data: { state: name, session_id: 's', config: { adapter_name: 'captain' }, metrics: { best_val_loss: 0.5 } },
      } as never,
    ],
  })

async function ended({ focused, wanted }: { readonly focused: boolean; readonly wanted: boolean }) {
  const shown: string[] = []
  class Fake {
    static readonly permission = 'granted'
    onclick = null
    constructor(title: string, { body }: { readonly body: string }) {
      shown.push(`${title}: ${body}`)
    }
  }
  vi.stubGlobal('Notification', Fake)
  vi.spyOn(document, 'hasFocus').mockReturnValue(focused)
  const calls = serve({ 'GET /settings': { body: { notifications: wanted } } })
  const { store } = renderPage(<Page />)
  await waitFor(() => expect(calls.length).toBe(1))
  await act(() => new Promise((done) => setTimeout(done, 0)))
  act(() => void store.dispatch(state('completed')))
  act(() => void store.dispatch(state('running')))
  act(() => void store.dispatch(state('completed')))
  return shown
}

test('a run that ends unseen is told once, with its result', async () => {
  expect(await ended({ focused: false, wanted: true })).toEqual(['Training is complete: captain, best validation loss 0.500'])
})

test('nothing is told to whoever looks at the page, or wants none', async () => {
  expect(await ended({ focused: true, wanted: true })).toEqual([])
  expect(await ended({ focused: false, wanted: false })).toEqual([])
})
