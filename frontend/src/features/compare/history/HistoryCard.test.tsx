import { fireEvent, screen, waitFor } from '@testing-library/react'
import { expect, test, vi } from 'vitest'
import type { Comparisons } from '@/api/generated'
import { renderPage, serve, type Call } from '@/test/render'
import { Toasts } from '@/ui/feedback/Toasts'
import { HistoryCard } from './HistoryCard'

/** As the server pages: what is older than the cursor, newest first. */
const pages = (total: number) => ({ query }: Call) => {
  const from = query.has('cursor') ? Number(query.get('cursor')) : total + 1
  const limit = Number(query.get('limit'))
  const ids = Array.from({ length: Math.min(limit, from - 1) }, (_, at) => from - 1 - at)
  const comparisons = ids.map((id) => ({
    id: String(id),
    at: '2026-11-20T10:00:00Z',
    prompt: `Question ${id}`,
    answers: [{ model_name: 'demo', text: 'Hi' }],
  }))
  const last = ids.at(-1) ?? 1
  return { body: { comparisons, next_cursor: last > 1 ? String(last) : null } satisfies Comparisons }
}

function open(answer: (call: Call) => { status?: number; body: unknown }) {
  serve({ 'GET /api/comparisons': answer })
  renderPage(<HistoryCard onUse={() => undefined} />)
}

test('the export holds every comparison that is kept, however many pages that takes', async () => {
  open(pages(1200))
  const saved = new Promise<string>((resolve) => {
    vi.stubGlobal('droid', { saveFile: (_name: string, text: string) => Promise.resolve(resolve(text)) })
  })
  fireEvent.click(await screen.findByRole('button', { name: 'JSON' }))
  const { comparisons } = JSON.parse(await saved) as Comparisons
  expect(comparisons.map(({ id }) => id)).toEqual(Array.from({ length: 1200 }, (_, at) => String(1200 - at)))
})

test('an export that the server refuses says so', async () => {
  const gone = { status: 500, body: { error: 'Broken', detail: 'The disk is gone.' } }
  open((call) => (call.query.has('cursor') ? gone : pages(600)(call)))
  fireEvent.click(await screen.findByRole('button', { name: 'Markdown' }))
  expect(await screen.findByText('The disk is gone.')).toBeTruthy()
})

test('older ones are shown page after page', async () => {
  open(pages(150))
  fireEvent.click(await screen.findByText('Show older'))
  await screen.findByText('Question 31')
  fireEvent.click(screen.getByText('Show older'))
  await screen.findByText('Question 1')
  expect(document.querySelectorAll('li').length).toBe(150)
  expect(screen.queryByText('Show older')).toBeNull()
})

test('a deletion is carried out at once, and taken back by one press', async () => {
  const here = new Set(['2', '1'])
  const calls = serve({
    'GET /api/comparisons': () => ({
      body: {
        comparisons: [...here].map((id) => ({ id, at: '2026-11-20T10:00:00Z', prompt: `Question ${id}`, answers: [{ model_name: 'demo', text: 'Hi' }] })),
        next_cursor: null,
      },
    }),
    'DELETE /api/comparisons/2': () => (here.delete('2'), { body: { deleted: 1, undo: 'trash-2' } }),
    'DELETE /api/comparisons': () => (here.clear(), { body: { deleted: 2, undo: 'trash-all' } }),
    'POST /api/trash/trash-2/restore': () => (here.add('2'), { body: { restored: 1 } }),
    'POST /api/trash/trash-all/restore': { status: 404, body: { error: 'NotFound', detail: 'It can’t be put back.' } },
  })
  renderPage(
    <>
      <HistoryCard onUse={() => undefined} />
      <Toasts />
    </>,
  )
  fireEvent.click(await screen.findByRole('button', { name: 'Delete from the history: Question 2' }))
  expect((await screen.findByText('Deleted “Question 2”.')).textContent).toBeTruthy()
  await waitFor(() => expect(screen.queryByText('Question 2')).toBeNull())
  fireEvent.click(screen.getByRole('button', { name: 'Undo' }))
  await screen.findByText('Question 2')
  fireEvent.click(screen.getByRole('button', { name: 'Delete all' }))
  await screen.findByText('Deleted 2 comparisons.')
  fireEvent.click(screen.getByRole('button', { name: 'Undo' }))
  expect((await screen.findByRole('alert')).textContent).toContain('It can’t be put back.')
  expect(calls.filter((call) => call.path.endsWith('/restore')).length).toBe(2)
})
