/** What the page does when the server was not heard for a while. */
import { act, screen, waitFor } from '@testing-library/react'
import { expect, test } from 'vitest'
import { useListModelsQuery } from '@/api/generated'
import { refetchAfterReconnect } from '@/api/stream/reconnect'
import { StatusBar } from '@/app/StatusBar'
import { connectionChanged, selectConnection } from '@/run/reducer/runSlice'
import { renderPage, serve } from '@/test/render'

function Models() {
  const { data } = useListModelsQuery()
  return <p>{data ? 'The list is there.' : 'No list.'}</p>
}

test('what failed is asked for again once the server is back, and nothing twice at the first connection', async () => {
  let up = false
  const calls = serve({ 'GET /models': () => (up ? { body: { models: [] } } : { status: 503, body: {} }) })
  const { store } = renderPage(<Models />)
  const end = refetchAfterReconnect(store, () => selectConnection(store.getState()))
  const connect = (to: 'connected' | 'reconnecting') => act(() => void store.dispatch(connectionChanged(to)))
  await waitFor(() => expect(calls).toHaveLength(1))
  up = true
  connect('connected')
  expect(calls).toHaveLength(1)
  connect('reconnecting')
  connect('connected')
  await screen.findByText('The list is there.')
  expect(calls).toHaveLength(2)
  end()
})

test('the status says since when the server is not heard', () => {
  serve({ 'GET /system': { status: 503, body: {} } })
  const { store } = renderPage(<StatusBar />)
  const connect = (to: 'connected' | 'reconnecting') => act(() => void store.dispatch(connectionChanged(to)))
  connect('reconnecting')
  expect(screen.queryByText(/^Last heard/), 'it never was').toBeNull()
  connect('connected')
  connect('reconnecting')
  expect(screen.getByText(/^Last heard \d\d:\d\d:\d\d$/)).toBeTruthy()
  connect('connected')
  expect(screen.queryByText(/^Last heard/)).toBeNull()
})
