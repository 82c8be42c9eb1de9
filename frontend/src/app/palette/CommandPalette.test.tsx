import { act, screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { beforeEach, expect, test, vi } from 'vitest'
import { framesReceived } from '@/api/stream/streamEvents'
import { onCommand } from '@/lib/commands'
import { readTheme } from '@/lib/theme'
import { selectSetupAsked } from '@/start/page/handoffSlice'
import { renderPage, serve } from '@/test/render'
import { CommandPalette } from './CommandPalette'

// Queries by role are slow in jsdom, and the machine may be busy.
vi.setConfig({ testTimeout: 30_000 })

const session = (id: string, adapter: string) => ({
  session_id: id,
  adapter_name: adapter,
  model_name: 'droid-demo',
  method: 'sft',
  timestamp: '2026-11-20T10:00:00Z',
  tags: [],
})

beforeEach(() => {
  serve({
    'GET /sessions': { body: { sessions: [session('s1', 'captain'), session('s2', 'parrot')], next_cursor: null } },
  })
})

test('a few letters and Enter lead to a page', async () => {
  const onClose = vi.fn()
  const { router } = renderPage(<CommandPalette onClose={onClose} onShortcuts={vi.fn()} />)
  await userEvent.type(screen.getByRole('combobox'), 'runs and{Enter}')
  expect(router.state.location.pathname).toBe('/results')
  expect(onClose).toHaveBeenCalledOnce()
})

test('a run is found by the name of its adapter', async () => {
  const { router } = renderPage(<CommandPalette onClose={vi.fn()} onShortcuts={vi.fn()} />)
  await screen.findByRole('option', { name: /^parrot/ })
  await userEvent.type(screen.getByRole('combobox'), 'parr{Enter}')
  expect(router.state.location.pathname).toBe('/results/s2')
})

test('the theme changes from here too', async () => {
  renderPage(<CommandPalette onClose={vi.fn()} onShortcuts={vi.fn()} />)
  await userEvent.type(screen.getByRole('combobox'), 'dark{Enter}')
  expect(readTheme()).toBe('dark')
})

test('it is opened to be typed into', () => {
  renderPage(<CommandPalette onClose={vi.fn()} onShortcuts={vi.fn()} />)
  expect(document.activeElement).toBe(screen.getByRole('combobox'))
})

test('what has no match says so', async () => {
  renderPage(<CommandPalette onClose={vi.fn()} onShortcuts={vi.fn()} />)
  await userEvent.type(screen.getByRole('combobox'), 'zzzz')
  expect(screen.getByText('No results')).toBeTruthy()
})

const state = (run: 'running' | 'completed') =>
  framesReceived({
    at: 0,
    frames: [{ type: 'training_state', seq: 1, epoch: 'e', session_id: 's', data: { state: run, session_id: 's', metrics: {} } }],
  })

test('actions follow the run: a live one is paused or stopped, else one can be started', async () => {
  const { store, router } = renderPage(<CommandPalette onClose={vi.fn()} onShortcuts={vi.fn()} />)
  expect(screen.getByRole('option', { name: /^Start training/ })).toBeTruthy()
  expect(screen.queryByRole('option', { name: /^Stop training/ })).toBeNull()
  act(() => void store.dispatch(state('running')))
  expect(screen.getByRole('option', { name: /^Pause training/ })).toBeTruthy()
  const asked = vi.fn()
  await userEvent.type(screen.getByRole('combobox'), 'stop{Enter}')
  onCommand('stop-training', asked)()
  expect(router.state.location.pathname).toBe('/training')
  expect(asked).toHaveBeenCalledOnce()
})

test('the last run is duplicated into its start page', async () => {
  const record = { session_id: 's1', config: { adapter_name: 'captain', lora_rank: 8 } }
  serve({
    'GET /sessions': { body: { sessions: [session('s1', 'captain')], next_cursor: null } },
    'GET /sessions/s1': { body: record },
  })
  const { store, router } = renderPage(<CommandPalette onClose={vi.fn()} onShortcuts={vi.fn()} />)
  await screen.findByRole('option', { name: /^Duplicate the last run/ })
  await userEvent.type(screen.getByRole('combobox'), 'duplicate{Enter}')
  await waitFor(() => expect(router.state.location.pathname).toBe('/setup'))
  expect(selectSetupAsked(store.getState())).toEqual({ name: 'captain', config: record.config })
})
