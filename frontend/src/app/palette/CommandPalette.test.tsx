import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { beforeEach, expect, test, vi } from 'vitest'
import { readTheme } from '@/lib/theme'
import { renderPage, serve } from '@/test/render'
import { CommandPalette } from './CommandPalette'

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
  const { router } = renderPage(<CommandPalette onClose={onClose} />)
  await userEvent.type(screen.getByRole('combobox'), 'runs and{Enter}')
  expect(router.state.location.pathname).toBe('/results')
  expect(onClose).toHaveBeenCalledOnce()
})

test('a run is found by the name of its adapter', async () => {
  const { router } = renderPage(<CommandPalette onClose={vi.fn()} />)
  await screen.findByRole('option', { name: /^parrot/ })
  await userEvent.type(screen.getByRole('combobox'), 'parr{Enter}')
  expect(router.state.location.pathname).toBe('/results/s2')
})

test('the theme changes from here too', async () => {
  renderPage(<CommandPalette onClose={vi.fn()} />)
  await userEvent.type(screen.getByRole('combobox'), 'dark{Enter}')
  expect(readTheme()).toBe('dark')
})

test('it is opened to be typed into', () => {
  renderPage(<CommandPalette onClose={vi.fn()} />)
  expect(document.activeElement).toBe(screen.getByRole('combobox'))
})

test('what has no match says so', async () => {
  renderPage(<CommandPalette onClose={vi.fn()} />)
  await userEvent.type(screen.getByRole('combobox'), 'zzzz')
  expect(screen.getByText('No results')).toBeTruthy()
})
