import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'
import type { Notice } from '@/api/generated'
import { renderPage, serve } from '@/test/render'
import { FileNotices } from './FileNotices'

const NOTICE: Notice = {
  id: 'n1',
  at: '2026-11-30T12:00:00Z',
  file: '/data/sessions/queue.json',
  problem: 'queue.json is empty.',
  kept_as: '/data/sessions/queue.json.damaged-1',
  message: 'queue.json is empty. Queue the runs again. It is kept as /data/sessions/queue.json.damaged-1.',
}

test('a file that could not be read is told with where it is kept, until it is dismissed', async () => {
  let notices = [NOTICE]
  const calls = serve({
    'GET /notices': () => ({ body: { notices } }),
    'DELETE /notices/n1': () => {
      notices = []
      return { body: { notices } }
    },
  })
  renderPage(<FileNotices />)
  expect(await screen.findByText(/kept as \/data\/sessions\/queue.json.damaged-1/)).toBeTruthy()

  await userEvent.click(screen.getByRole('button', { name: 'Dismiss' }))
  await waitFor(() => expect(screen.queryByText(/queue.json/)).toBeNull())
  expect(calls.some(({ method }) => method === 'DELETE')).toBe(true)
})

test('nothing is shown where all could be read', async () => {
  const calls = serve({ 'GET /notices': { body: { notices: [] } } })
  const { container } = renderPage(<FileNotices />)
  await waitFor(() => expect(calls).toHaveLength(1))
  expect(container.textContent).toBe('')
})
