import { act, screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test, vi } from 'vitest'
import type { Connection } from '@/api/stream/eventStream'
import { framesReceived } from '@/api/stream/streamEvents'
import { connectionChanged } from '@/run/reducer/runSlice'
import { renderPage, serve } from '@/test/render'
import { MAIN_PAGES, SIDE_PAGES } from './pages'
import { DiskNotice } from './DiskNotice'
import { BottomBar } from '@/app/sidebar/BottomBar'
import { Sidebar } from '@/app/sidebar/Sidebar'
import { StatusBar } from './StatusBar'

const SYSTEM = {
  version: '0.1.0',
  os: 'Linux',
  python: '3.11',
  chip: 'A chip',
  cores: 2,
  device: 'CPU',
  engines: { mlx: '0.32.4', 'mlx-lm': '0.32.2' },
  blas: { name: 'openblas', source: 'system', path: null },
  memory_total: 24e9,
  memory_available: 10e9,
  recommended_working_set: null,
  disk_free: null,
  gpu_percent: null,
  thermal: null,
  data_dir: '/data',
}

const connect = (connection: Connection) => connectionChanged(connection)
const running = framesReceived({
  at: 0,
  frames: [
    {
      type: 'training_state',
      seq: 1,
      epoch: 'e',
      session_id: 's',
      data: { state: 'running', session_id: 's', metrics: { current_step: 30, total_steps: 120, train_loss: 0.447 } },
    },
  ],
})

test('every page has its entry, with what it is for', () => {
  renderPage(<Sidebar onFind={vi.fn()} />)
  for (const page of [...MAIN_PAGES, ...SIDE_PAGES]) {
    const link = screen.getByRole('link', { name: new RegExp(`^${page.name}`) })
    expect(link.textContent).toContain(page.line)
  }
})

test('a run under way pulses beside Training', () => {
  const { store } = renderPage(<Sidebar onFind={vi.fn()} />)
  const training = () => screen.getByRole('link', { name: /^Training/ })
  expect(within(training()).queryByText('Training in progress')).toBeNull()
  act(() => void store.dispatch(running))
  expect(within(training()).getByText('Training in progress')).toBeTruthy()
})

test('the sidebar folds, and stays folded', async () => {
  const { unmount } = renderPage(<Sidebar onFind={vi.fn()} />)
  await userEvent.click(screen.getByRole('button', { name: 'Collapse sidebar' }))
  unmount()
  renderPage(<Sidebar onFind={vi.fn()} />)
  expect(screen.getByRole('button', { name: 'Expand sidebar' })).toBeTruthy()
})

test('the status bar tells the connection, the run and the machine', async () => {
  serve({ 'GET /system': { body: SYSTEM } })
  const { store } = renderPage(<StatusBar />)
  expect(screen.getByRole('status').textContent).toBe('Connecting…')
  act(() => {
    store.dispatch(connect('connected'))
    store.dispatch(running)
  })
  expect(screen.getByText('Training · 30 / 120 · loss 0.447')).toBeTruthy()
  expect(screen.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('25')
  expect(await screen.findByText('A chip · CPU')).toBeTruthy()
  expect(screen.getByText('Memory 14.0 / 24 GB')).toBeTruthy()
  expect(screen.getByText('mlx 0.32.4 · mlx-lm 0.32.2')).toBeTruthy()
})

test('a disk without room is told on every page, with what to do', async () => {
  serve({ 'GET /system': { body: { ...SYSTEM, disk_free: 12_000_000 } } })
  const { store } = renderPage(<DiskNotice />)
  act(() => void store.dispatch(connect('connected')))
  const notice = await screen.findByRole('note')
  expect(notice.textContent).toContain('almost full: 12 MB free')
  expect(notice.textContent).toContain('/data')
})

test('a disk with room is not mentioned', async () => {
  const asked = serve({ 'GET /system': { body: { ...SYSTEM, disk_free: 900e9 } } })
  const { store } = renderPage(<DiskNotice />)
  act(() => void store.dispatch(connect('connected')))
  await vi.waitFor(() => expect(asked).not.toHaveLength(0))
  expect(screen.queryByRole('note')).toBeNull()
})

test('on a narrow screen every page is in the bar or behind More, each name on one line', async () => {
  renderPage(<BottomBar />)
  await userEvent.click(screen.getByRole('button', { name: 'More' }))
  for (const page of [...MAIN_PAGES, ...SIDE_PAGES]) {
    expect(screen.getByRole('link', { name: new RegExp(`^${page.name}`) }).getAttribute('href')).toContain(page.path)
  }
  expect(screen.getByRole('link', { name: 'Enhanced Setup' }).textContent).toBe('Enhanced')
})
