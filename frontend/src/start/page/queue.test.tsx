import { act, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { beforeEach, expect, test, vi } from 'vitest'

import type { TrainingStateData } from '@/api/frames'
import { framesReceived } from '@/api/stream/streamEvents'
import { FrameMaker } from '@/test/fakeServer'
import { renderPage, serve, type Answers } from '@/test/render'
import { Toasts } from '@/ui/feedback/Toasts'
import { DEMO, PREVIEW, rememberDemo, TARGETS } from '@/test/formSamples'
import { SetupPage } from './SetupPage'

vi.setConfig({ testTimeout: 30_000 })
beforeEach(rememberDemo)

const SERVER: Answers = {
  'GET /models': { body: { models: [DEMO] } },
  'GET /models/%2Fmodels%2Fdroid-demo/lora': { body: TARGETS },
  'GET /sessions': { body: { sessions: [], next_cursor: null } },
  'POST /training/preview': { body: PREVIEW },
  'POST /training/start': {
    body: { status: 'queued', message: 'It is next: demo_captain on droid-demo: 120 iterations.', session_id: 's2', warnings: [] },
  },
}
const queued = {
  session_id: 's2',
  adapter_name: 'demo',
  model_name: 'droid-demo',
  method: 'sft',
  total_steps: 120,
  queued_at: '2026-01-01T10:00:00Z',
}

function show(answers: Answers = SERVER) {
  const calls = serve(answers)
  const page = renderPage(
    <>
      <SetupPage />
      <Toasts />
    </>,
    { path: '/setup' },
  )
  const hear = (data: Partial<TrainingStateData>) =>
    act(() => void page.store.dispatch(framesReceived({ frames: [new FrameMaker().snapshot(data)], at: 1 })))
  return { ...page, calls, hear }
}

const review = () => within(screen.getByRole('complementary'))
const press = async (name: RegExp) => {
  const button = () => review().getByRole<HTMLButtonElement>('button', { name })
  await waitFor(() => expect(button().disabled).toBe(false), { timeout: 8000 })
  await userEvent.click(button())
}

test('while a run is live the button adds to the queue, and the page stays', async () => {
  const { calls, hear, router } = show()
  hear({ state: 'running', queue: [] })
  expect(review().queryByRole('button', { name: /Start Training/ })).toBeNull()
  await press(/^Add to queue/)
  expect(await screen.findByText(/^Added to the queue. It is next: demo_captain/)).toBeTruthy()
  expect(calls.find((call) => call.path === '/training/start')?.body).toMatchObject({ queue: true, iterations: 120 })
  expect(router.state.location.pathname).toBe('/setup')

  hear({ state: 'running', queue: [queued] })
  expect(review().getByText(/Training in progress, 1 waiting/)).toBeTruthy()
  expect(screen.getByLabelText<HTMLInputElement>('Adapter name').value, 'its name is taken').toBe('demo_2')
})

test.each([
  ['RunAlreadyActive', 'A run is already active: session s1.'],
  ['EvaluationActive', 'An evaluation of tall is running, and its model needs the memory.'],
])('a start that is refused with %s becomes the offer to wait', async (error, detail) => {
  const busy = { error, detail, hint: null }
  const { calls } = show({
    ...SERVER,
    'POST /training/start': ({ body }) =>
      (body as { queue?: boolean }).queue
        ? { body: { status: 'queued', message: 'It is next.', session_id: 's2', warnings: [] } }
        : { status: 409, body: busy },
  })
  await press(/^Start Training/)
  await review().findByText(detail)
  await press(/^Add to queue/)
  await screen.findByText('Added to the queue. It is next.')
  const starts = calls.filter((call) => call.path === '/training/start')
  expect(starts.map((call) => (call.body as { queue?: boolean }).queue)).toEqual([undefined, true])
})
