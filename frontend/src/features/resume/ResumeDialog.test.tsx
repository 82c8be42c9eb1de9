import { act, screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test, vi } from 'vitest'
import { resumeAsked } from '@/start/page/handoffSlice'
import type { Frame } from '@/api/frames'
import { FrameMaker } from '@/test/fakeServer'
import { renderRoute, type Answers } from '@/test/renderRoute'
import { ResumeDialog } from './ResumeDialog'

// Queries by role are slow in jsdom, and the machine may be busy.
vi.setConfig({ testTimeout: 30_000 })

const points = [
  { checkpoint: 20, step: 20, saved_at: '2026-11-19T10:00:00Z', train_loss: 0.9 },
  { checkpoint: 45, step: 44, saved_at: '2026-11-19T10:01:00Z', train_loss: 0.7 },
]
const SERVER: Answers = {
  'GET /sessions/one': { body: { session_id: 'one', config: { iterations: 100 } } },
  'GET /sessions/one/resume': { body: { session_id: 'one', points } },
  'POST /sessions/one/resume': { body: { status: 'started', message: 'Training.', session_id: 'two', warnings: [] } },
}

function open(answers: Answers = SERVER, frames: readonly Frame[] = []) {
  const view = renderRoute(<ResumeDialog />, { answers, frames, path: '/results', route: '/results' })
  act(() => void view.store.dispatch(resumeAsked({ sessionId: 'one', name: 'alpha' })))
  return view
}

const resumeButton = () => screen.findByRole<HTMLButtonElement>('button', { name: 'Resume training' })
const total = () => screen.getByLabelText<HTMLInputElement>('Total iterations')

test('it goes on from the newest state to the length asked for, and leads to Training', async () => {
  const user = userEvent.setup()
  const { calls, router } = open()
  await user.click(await resumeButton())
  await waitFor(() => expect(router.state.location.pathname).toBe('/training'))
  const sent = calls.find((call) => call.request.startsWith('POST'))
  expect(sent?.body).toEqual({ checkpoint: 45, iterations: 100 })
})

test('an earlier checkpoint and more iterations can be chosen; a number that is done can’t', async () => {
  const user = userEvent.setup()
  const { calls, store } = open()
  const button = await resumeButton()
  expect(screen.getByText(/Continues at iteration 44/)).toBeTruthy()
  await user.selectOptions(screen.getByLabelText('Resume from'), '20')
  await user.clear(total())
  expect(total().value).toBe('')
  expect(button.disabled).toBe(true)
  await user.type(total(), '20')
  expect(total().getAttribute('aria-invalid')).toBe('true')
  await user.type(total(), '0')
  await user.click(button)
  await waitFor(() => expect(store.getState().handoff.resume).toBeNull())
  expect(calls.find((call) => call.request.startsWith('POST'))?.body).toEqual({ checkpoint: 20, iterations: 200 })
})

test('the new adapter can have a name of its own, and replace one only when that is said', async () => {
  const user = userEvent.setup()
  const refusal = {
    error: 'Conflict',
    detail: 'There is an adapter beta already.',
    hint: 'Choose another name, or allow to overwrite it.',
    errors: [{ field: 'adapter_name', message: 'There is an adapter beta already.' }],
  }
  const { calls } = open({ ...SERVER, 'POST /sessions/one/resume': { status: 409, body: refusal } })
  const button = await resumeButton()
  const name = screen.getByLabelText('Adapter name')
  await user.type(name, 'beta')
  await user.click(button)
  await waitFor(() => expect(name.getAttribute('aria-invalid')).toBe('true'))
  await user.click(screen.getByRole('switch', { name: 'Overwrite adapter' }))
  await user.click(button)
  await waitFor(() => expect(calls.filter((call) => call.request.startsWith('POST')).map((call) => call.body)).toEqual([
    { checkpoint: 45, iterations: 100, adapter_name: 'beta' },
    { checkpoint: 45, iterations: 100, adapter_name: 'beta', overwrite: true },
  ]))
})

test('what the server refuses stands in its own words, and the dialog stays', async () => {
  const user = userEvent.setup()
  const refusal = {
    error: 'BadContent',
    detail: 'The training data has changed since session one: it had 324 rows, and now 300 rows.',
    hint: 'Put the old file back, or start a new run.',
    errors: [],
  }
  open({ ...SERVER, 'POST /sessions/one/resume': { status: 400, body: refusal } })
  await user.click(await resumeButton())
  const alert = await screen.findByRole('alert')
  expect(alert.textContent).toContain(refusal.detail)
  expect(alert.textContent).toContain(refusal.hint)
  expect(total().value).toBe('100')
})

test('a session without a saved state says why and what to do instead', async () => {
  open({ ...SERVER, 'GET /sessions/one/resume': { body: { session_id: 'one', points: [] } } })
  expect(await screen.findByText('No checkpoint to resume from')).toBeTruthy()
  expect(screen.queryByRole('button', { name: 'Resume training' })).toBeNull()
})

test('while another run is under way it is added to the queue', async () => {
  const user = userEvent.setup()
  const queued = { body: { status: 'queued', message: 'It is next: alpha.', session_id: 'two', warnings: [] } }
  const { calls, router, store } = open({ ...SERVER, 'POST /sessions/one/resume': queued }, [new FrameMaker().snapshot({ state: 'running' })])
  await user.click(await screen.findByRole('button', { name: 'Add to queue' }))
  await waitFor(() => expect(store.getState().toasts[0]?.message).toBe('Added to the queue. It is next: alpha.'))
  expect(calls.find((call) => call.request.startsWith('POST'))?.body).toEqual({ checkpoint: 45, iterations: 100, queue: true })
  expect(router.state.location.pathname).toBe('/results')
})
