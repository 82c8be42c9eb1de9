import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test, vi } from 'vitest'

import type { SessionSummary } from '@/api/generated'
import { renderRoute, type Answers } from '@/test/renderRoute'
import { ResultsPage } from './ResultsPage'
import { SessionPage } from '@/features/results/session/SessionPage'

// Queries by role are slow in jsdom, and the machine may be busy.
vi.setConfig({ testTimeout: 30_000 })
const BUSY = { timeout: 10_000 }

vi.mock('@/ui/chart/chartPlot', () => ({
  createPlot: () => ({
    picture: () => document.createElement('canvas'),
    ...Object.fromEntries(['update', 'resize', 'repaint', 'step', 'destroy'].map((name) => [name, () => undefined])),
  }),
}))

const session = (part: Partial<SessionSummary>): SessionSummary => ({
  session_id: 'one',
  timestamp: '2026-11-19T10:00:00Z',
  training_state: 'completed',
  model_name: 'Qwen',
  adapter_name: 'alpha',
  final_train_loss: 0.5,
  final_val_loss: 0.6,
  steps_completed: 100,
  total_steps: 100,
  method: 'sft',
  best_val_loss: 0.55, best_value: 0.55,
  duration_seconds: 60,
  notes: '',
  tags: [],
  adapter_ready: true,
  ...part,
})
const done = { body: { status: 'success', message: 'ok' } }

const FIRST = 'GET /sessions?limit=100&pinned_first=true'
const choices = { methods: ['sft'], models: ['Qwen'], tags: [] }
const page = (sessions: readonly SessionSummary[], total = sessions.length) => ({
  body: { sessions, next_cursor: null, matching: sessions.length, total, choices },
})
const PRESETS = [
  { id: 'coverage', title: 'Full-layer against attention-only', ids: ['one', 'two'], message: 'alpha and beta' },
  { id: 'method', title: 'SFT against reward learning', ids: [], message: 'Needs a finished SFT run.' },
]

function list(sessions: readonly SessionSummary[], more: Answers = {}) {
  return renderRoute(<ResultsPage />, {
    answers: { [FIRST]: page(sessions), 'GET /sessions/presets': { body: { presets: PRESETS } }, ...more },
    path: '/results',
    route: '/results',
  })
}
const table = async () => within(await screen.findByRole('table'))

test('without a session the page teaches', async () => {
  list([])
  expect(await screen.findByRole('heading', { name: 'No runs yet' })).toBeTruthy()
  expect(screen.getByRole('link', { name: 'Set up a run' }).getAttribute('href')).toBe('/setup')
})

test('a server that does not answer is an error with a way to try again', async () => {
  renderRoute(<ResultsPage />)
  expect((await screen.findByRole('alert')).textContent).toContain('Can’t reach the app’s server')
  expect(screen.getByRole('button', { name: 'Try again' })).toBeTruthy()
})

test('a session shows its losses, a damaged one its problem, a legacy one its badge', async () => {
  list([
    session({}),
    session({ session_id: 'bad', adapter_name: null, training_state: null, problem: 'Line 3 is not JSON.', best_val_loss: null, best_value: null }),
    session({ session_id: 'old', adapter_name: 'older', legacy: true }),
  ])
  const rows = (await table()).getAllByRole('row')
  expect(rows[1]?.textContent).toContain('alpha')
  expect(rows[1]?.textContent).toContain('0.550')
  expect(rows.find((row) => row.textContent?.includes('Line 3 is not JSON.'))?.textContent).toContain('Damaged')
  expect(rows.find((row) => row.textContent?.includes('older'))?.textContent).toContain('legacy')
})

test('what is typed and chosen is asked of the server', async () => {
  const user = userEvent.setup()
  const beta = session({ session_id: 'two', adapter_name: 'beta (v2)' })
  list([session({}), beta], {
    'GET /sessions?limit=100&q=beta&pinned_first=true': page([beta], 2),
    'GET /sessions?limit=100&state=error&pinned_first=true': page([], 2),
  })
  await table()
  await user.type(screen.getByRole('searchbox'), 'beta')
  expect(await screen.findByText('1 of 2 sessions', {}, BUSY)).toBeTruthy()
  await user.clear(screen.getByRole('searchbox'))
  expect(await screen.findByText('2 sessions', {}, BUSY)).toBeTruthy()
  await user.click(screen.getByRole('radio', { name: 'Failed' }))
  expect(await screen.findByText(/No matching sessions/, {}, BUSY)).toBeTruthy()
  await user.click(screen.getByRole('button', { name: 'Show all' }))
  expect(await screen.findByText('2 sessions', {}, BUSY)).toBeTruthy()
})

test('a click on a column sorts all runs by it, a second one turns it around', async () => {
  const user = userEvent.setup()
  const [one, two] = [session({}), session({ session_id: 'two', adapter_name: 'beta' })]
  list([one, two], {
    'GET /sessions?limit=100&sort=best&order=asc&pinned_first=true': page([two, one]),
    'GET /sessions?limit=100&sort=best&order=desc&pinned_first=true': page([one, two]),
  })
  const head = await screen.findByRole('columnheader', { name: 'Best' })
  const first = () => screen.getAllByRole('row')[1]?.textContent ?? ''
  await user.click(within(head).getByRole('button'))
  await waitFor(() => expect(first()).toContain('beta'))
  expect(head.getAttribute('aria-sort')).toBe('ascending')
  await user.click(within(head).getByRole('button'))
  await waitFor(() => expect(first()).toContain('alpha'))
})

test('two chosen runs are compared, and so is a pair that is worth it', async () => {
  const user = userEvent.setup()
  list([session({}), session({ session_id: 'two', adapter_name: 'beta' })])
  const rows = await table()
  expect((await screen.findByRole('link', { name: 'Full-layer against attention-only' })).getAttribute('href')).toBe('/results/compare?ids=one,two')
  const lacking = screen.getByRole<HTMLButtonElement>('button', { name: 'SFT against reward learning' })
  expect([lacking.disabled, lacking.title]).toEqual([true, 'Needs a finished SFT run.'])
  await user.click(rows.getByRole('checkbox', { name: 'Compare beta' }))
  expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Compare runs' }).disabled).toBe(true)
  await user.click(rows.getByRole('checkbox', { name: 'Compare alpha' }))
  expect(screen.getByRole('link', { name: 'Compare runs' }).getAttribute('href')).toBe('/results/compare?ids=two,one')
})

test.each([
  ['Delete the record', false],
  ['Delete record and files', true],
] as const)('%s asks the server for exactly that', async (button, files) => {
  const user = userEvent.setup()
  const { calls } = list([session({})], { [`DELETE /sessions/one?files=${files}`]: done })
  await user.click((await table()).getByRole('button', { name: 'Delete alpha' }))
  const dialog = within(screen.getByRole('dialog'))
  if (files) await user.click(dialog.getByRole('radio', { name: /its files/ }))
  await user.click(dialog.getByRole('button', { name: button }))
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
  expect(calls.some((call) => call.request === `DELETE /sessions/one?files=${files}`)).toBe(true)
})

test('loading a session leads to the Training page', async () => {
  const user = userEvent.setup()
  const { router } = list([session({})], { 'POST /sessions/one/load': done })
  await user.click((await table()).getByRole('button', { name: /Show alpha/ }))
  await waitFor(() => expect(router.state.location.pathname).toBe('/training'))
})

test('a running session can be opened, not deleted', async () => {
  list([session({ training_state: 'running' })])
  const rows = await table()
  expect(rows.getByRole<HTMLButtonElement>('button', { name: /is running/ }).disabled).toBe(true)
  expect(rows.queryByRole('button', { name: /on the Training page/ })).toBeNull()
})

const record = {
  session_id: 'one',
  schema_version: 1,
  training_state: 'completed',
  method: 'sft',
  config: { adapter_name: 'alpha', model_path: '/m/Qwen', lora_keys: 'full' },
  metrics: { train_loss: 0.5, current_step: 100, total_steps: 100, elapsed_seconds: 75 },
  best_model: { val_loss: 0.55, step: 80, path: '/a/best' },
}

test('a session opens with its numbers, its log and older lines on request', async () => {
  const user = userEvent.setup()
  renderRoute(<SessionPage />, {
    answers: {
      'GET /sessions/one': { body: record },
      'GET /sessions/one/metrics?max_points=200000': { body: { session_id: 'one', series: {} } },
      'GET /sessions/one/logs?limit=1000': { body: { logs: ['newest'], before: 1 } },
      'GET /sessions/one/logs?limit=1000&before=1': { body: { logs: ['oldest'], before: null } },
    },
    path: '/results/one',
    route: '/results/:id',
  })
  expect(await screen.findByRole('heading', { level: 1, name: 'alpha' })).toBeTruthy()
  expect(screen.getByText('0.550')).toBeTruthy()
  expect(await screen.findByText('newest')).toBeTruthy()
  await user.click(screen.getByRole('button', { name: 'Show older lines' }))
  expect(await screen.findByText('oldest')).toBeTruthy()
  expect(screen.queryByRole('button', { name: 'Show older lines' })).toBeNull()
})

test('name, tags, notes and pin are saved as they are typed', async () => {
  const user = userEvent.setup()
  const { calls } = renderRoute(<SessionPage />, { answers: { ...oneSession, 'PATCH /sessions/one': done }, path: '/results/one', route: '/results/:id' })
  await user.type(await screen.findByLabelText('Name'), 'The good one')
  await user.type(screen.getByLabelText('Tags'), 'keep, low rank')
  await user.click(screen.getByRole('switch', { name: /Pinned/ }))
  await user.click(screen.getByRole('button', { name: 'Save' }))
  await waitFor(() =>
    expect(calls.find((call) => call.request === 'PATCH /sessions/one')?.body).toEqual({ name: 'The good one', notes: '', tags: ['keep', 'low rank'], pinned: true }),
  )
})

test('deleting is never the first thing that a session offers', async () => {
  renderRoute(<SessionPage />, { answers: oneSession, path: '/results/one', route: '/results/:id' })
  await screen.findByRole('button', { name: 'Delete…' })
  const heading = screen.getByRole('heading', { level: 1 }).closest('header')
  const buttons = within(heading ?? document.body).getAllByRole('button')
  expect(buttons.at(-1)?.textContent).toBe('Delete…')
})

test('a session that is gone says so', async () => {
  renderRoute(<SessionPage />, {
    answers: { 'GET /sessions/x': { status: 404, body: { error: 'NotFound', detail: 'There is no session “x”.', hint: null } } },
    path: '/results/x',
    route: '/results/:id',
  })
  expect((await screen.findByRole('alert')).textContent).toContain('There is no session “x”.')
})

const oneSession: Answers = {
  'GET /sessions/one': { body: record },
  'GET /sessions/one/metrics?max_points=200000': { body: { session_id: 'one', series: {} } },
  'GET /sessions/one/logs?limit=1000': { body: { logs: [], before: null } },
}

test('duplicating hands the configuration to Setup, resuming asks for the dialog', async () => {
  const user = userEvent.setup()
  const { store, router } = renderRoute(<SessionPage />, { answers: oneSession, path: '/results/one', route: '/results/:id' })
  await user.click(await screen.findByRole('button', { name: 'Resume…' }))
  expect(store.getState().handoff.resume).toEqual({ sessionId: 'one', name: 'alpha' })
  await user.click(screen.getByRole('button', { name: 'Duplicate into Setup' }))
  await waitFor(() => expect(router.state.location.pathname).toBe('/setup'))
  expect(store.getState().handoff.setup).toEqual({ name: 'alpha', config: record.config })
})

test('the adapter of a session can be compared, and fused with others', async () => {
  const answers = { ...oneSession, 'GET /sessions/one': { body: { ...record, adapter_path: '/a/alpha' } } }
  renderRoute(<SessionPage />, { answers, path: '/results/one', route: '/results/:id' })
  expect((await screen.findByRole('link', { name: 'Fuse with…' })).getAttribute('href')).toBe('/fusion?adapters=alpha')
  expect(screen.getByRole('link', { name: 'Compare with base' }).getAttribute('href')).toBe('/compare?adapter=alpha')
})

test('a row offers to resume its session, but not one of the reference app', async () => {
  const user = userEvent.setup()
  const { store } = list([session({}), session({ session_id: 'old', adapter_name: 'older', legacy: true })])
  const rows = await table()
  expect(rows.queryByRole('button', { name: 'Resume older…' })).toBeNull()
  await user.click(rows.getByRole('button', { name: 'Resume alpha…' }))
  expect(store.getState().handoff.resume).toEqual({ sessionId: 'one', name: 'alpha' })
})
