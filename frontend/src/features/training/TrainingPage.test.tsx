import { act, cleanup, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test, vi } from 'vitest'

import type { TrainingStateData } from '@/api/frames'
import { framesReceived } from '@/api/stream/streamEvents'
import { LogBook } from '@/run/log/logBook'
import { RunSeries } from '@/run/series/series'
import { FrameMaker } from '@/test/fakeServer'
import { renderRoute, type Answers } from '@/test/renderRoute'
import { TrainingPage } from './TrainingPage'

// Queries by role are slow in jsdom, and the machine may be busy.
vi.setConfig({ testTimeout: 30_000 })

vi.mock('@/ui/chart/chartPlot', () => ({
  createPlot: () => ({
    update: () => undefined,
    resize: () => undefined,
    repaint: () => undefined,
    step: () => undefined,
    picture: () => document.createElement('canvas'),
    destroy: () => undefined,
  }),
}))

const config = {
  adapter_name: 'support_tone',
  model_path: '/models/Qwen2.5-0.5B',
  lora_keys: 'full',
  steps_per_report: 25,
}
const metrics = { current_step: 830, total_steps: 1000, elapsed_seconds: 60, estimated_time_remaining: 30, epoch: 4.13 }

function show(data: Partial<TrainingStateData>, { answers, logs = [] }: { answers?: Answers; logs?: string[] } = {}) {
  const make = new FrameMaker()
  const series = RunSeries.from(data.series ?? {})
  const frames = [make.snapshot({ config, metrics, ...data })]
  return renderRoute(<TrainingPage stores={{ series, log: LogBook.from(logs) }} />, {
    frames,
    ...(answers ? { answers } : {}),
  })
}

test('before the first snapshot the page waits and claims nothing', () => {
  renderRoute(<TrainingPage />)
  expect(screen.getByText('Connecting to the server…')).toBeTruthy()
  expect(screen.queryByText('No run yet')).toBeNull()
})

test('without a run the page teaches and has one way on', () => {
  show({ state: 'idle', session_id: null, config: null })
  expect(screen.getByRole('heading', { name: 'No run yet' })).toBeTruthy()
  expect(screen.getAllByRole('link').map((link) => link.getAttribute('href'))).toEqual(['/setup'])
})

test('a starting run names its phase and shows unknown numbers as unknown', () => {
  show({ state: 'starting', phase: 'loading model', metrics: { total_steps: 1000 } })
  expect(screen.getByText('Loading the model')).toBeTruthy()
  expect(screen.getByText('The curve begins at iteration 25.')).toBeTruthy()
  expect(screen.getByRole('progressbar').getAttribute('aria-valuenow')).toBeNull()
  expect(screen.queryByText('0.000')).toBeNull()
})

test('a running run shows who it is, where it is and how to stop it', () => {
  show({ state: 'running', phase: 'training' })
  expect(screen.getByRole('heading', { level: 1, name: 'support_tone' })).toBeTruthy()
  expect(screen.getByText('SFT · full-layer LoRA')).toBeTruthy()
  expect(screen.getByText('Qwen2.5-0.5B')).toBeTruthy()
  expect(screen.getByText('iteration 830 of 1,000 · epoch 4.1')).toBeTruthy()
  expect(screen.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('83')
  expect(screen.getByRole('button', { name: 'Stop…' })).toBeTruthy()
})

test.each([
  ['Stop and save', true],
  ['Stop without saving', false],
] as const)('%s sends exactly that, and the question closes', async (name, save) => {
  const user = userEvent.setup()
  const answer = { status: 'stopped', finished: false, message: 'Stopping.', session_id: 'run-1' }
  const { calls } = show({ state: 'running' }, { answers: { 'POST /training/stop': { body: answer } } })
  await user.click(screen.getByRole('button', { name: 'Stop…' }))
  await user.click(screen.getByRole('button', { name }))
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
  expect(calls.filter((call) => call.request === 'POST /training/stop').map((call) => call.body)).toEqual([{ save }])
})

test('continuing sends nothing', async () => {
  const user = userEvent.setup()
  const { calls } = show({ state: 'running' })
  await user.click(screen.getByRole('button', { name: 'Stop…' }))
  await user.click(screen.getByRole('button', { name: 'Continue training' }))
  expect(screen.queryByRole('dialog')).toBeNull()
  expect(calls.some((call) => call.request.startsWith('POST'))).toBe(false)
})

test('a refused stop stays on the page with its reason', async () => {
  const user = userEvent.setup()
  show(
    { state: 'running' },
    { answers: { 'POST /training/stop': { status: 409, body: { error: 'X', detail: 'It is stopping already.', hint: 'Wait.' } } } },
  )
  await user.click(screen.getByRole('button', { name: 'Stop…' }))
  await user.click(screen.getByRole('button', { name: 'Stop and save' }))
  expect((await screen.findByRole('alert')).textContent).toContain('It is stopping already.')
})

test('a pause is asked for once and waits for the step to end', async () => {
  const user = userEvent.setup()
  const answers = { 'POST /training/pause': { body: { status: 'running' } } }
  const { calls, store } = show({ state: 'running' }, { answers })
  await user.click(screen.getByRole('button', { name: 'Pause' }))
  expect(await screen.findByRole('button', { name: 'Pausing…' })).toBeTruthy()
  expect(calls.filter((call) => call.request === 'POST /training/pause')).toHaveLength(1)
  const paused = new FrameMaker().snapshot({ config, metrics, state: 'paused' })
  act(() => void store.dispatch(framesReceived({ frames: [paused], at: 2000 })))
  expect(screen.getByRole('button', { name: 'Resume' })).toBeTruthy()
})

test('a stopping run says so and takes no second stop', () => {
  show({ state: 'stopping', phase: 'saving' })
  expect(screen.getByText('Stopping · saving')).toBeTruthy()
  expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Stopping…' }).disabled).toBe(true)
})

test('a completed run says which adapter is best and where; its times stand still', () => {
  show({
    state: 'completed',
    early_stopped: true,
    message: 'Validation stopped improving.',
    series: { best: { step: 700, value: 0.531, path: '/a/best_adapters.safetensors' } },
    adapter_path: '/a/adapters.safetensors',
  })
  const outcome = within(screen.getByRole('region', { name: 'Outcome' }))
  expect(outcome.getByText('Stopped early')).toBeTruthy()
  expect(outcome.getByText('Best adapter · iteration 700, validation loss 0.531')).toBeTruthy()
  expect(outcome.getByText('/a/best_adapters.safetensors')).toBeTruthy()
  expect(outcome.getByRole('link', { name: 'Open in Results' }).getAttribute('href')).toBe('/results/run-1')
  expect(outcome.getByRole('link', { name: 'Fuse with…' }).getAttribute('href')).toBe('/fusion?adapters=support_tone')
  expect(screen.getByText(/Total 60 s$/)).toBeTruthy()
  expect(screen.queryByText(/left$/)).toBeNull()
  expect(screen.queryByRole('button', { name: 'Stop…' })).toBeNull()
})

test('a failed run says what happened, what to do, and its last words', () => {
  show({ state: 'error', error: { message: 'Out of memory.', hint: 'Lower the batch size.', log_tail: ['[METAL] boom'] } })
  const alert = screen.getByRole('alert')
  for (const text of ['Training failed', 'Out of memory.', 'Lower the batch size.', '[METAL] boom']) {
    expect(alert.textContent).toContain(text)
  }
  expect(within(alert).getByRole('button', { name: 'Copy details' })).toBeTruthy()
})

test.each(['stopped', 'interrupted'] as const)('a run that was %s says so', (state) => {
  show({ state, message: 'The message of the server.' })
  expect(within(screen.getByRole('region', { name: 'Outcome' })).getByText('The message of the server.')).toBeTruthy()
})

test('alerts name cause and fix', () => {
  show({ state: 'running', alerts: [{ level: 'warning', code: 'not_finite', message: 'train_loss was nan.', hint: 'Lower the learning rate.' }] })
  expect(screen.getByText('train_loss was nan.')).toBeTruthy()
  expect(screen.getByText('Lower the learning rate.')).toBeTruthy()
})

test('a setting that would mend it goes into the form of the next run', async () => {
  const user = userEvent.setup()
  const fix = { learning_rate: 2e-5 }
  const alerts = [{ level: 'error' as const, code: 'divergence', message: 'Training diverges.', hint: 'Stop the run.', step: 40, fix }]
  const { store } = show({ state: 'running', alerts, health: 'act', config: { ...config, learning_rate: 1e-4 } })
  expect(screen.getByText('Act')).toBeTruthy()
  await user.click(screen.getByRole('button', { name: 'Set up the next run with learning rate 2e-5' }))
  expect(store.getState().handoff.setup?.config).toMatchObject({ learning_rate: 2e-5 })
})

test('a fact looks like one, and a warning is one line with its reason behind it', () => {
  const message = 'The effective learning rate is high: multiplier 32 × 1e-4. Scaling alpha_over_rank would make it 1.'
  const alert = { code: 'strong_scaling', message, hint: null }
  show({ state: 'running', alerts: [{ ...alert, level: 'info' }] })
  expect(screen.getByText('Why?').closest('[class*=bg-warn]')).toBeNull()
  cleanup()
  show({ state: 'running', alerts: [{ ...alert, level: 'warning' }] })
  expect(screen.getByText('Why?').closest('[class*=bg-warn]')).not.toBeNull()
  expect(screen.getByText('The effective learning rate is high.')).toBeTruthy()
})

test('the log is searched as plain text, brackets and all', async () => {
  const user = userEvent.setup()
  show({ state: 'running' }, { logs: ['Iter 1: loss 2.1 (mean)', 'saved', '<b>bold</b>'] })
  await user.type(screen.getByRole('searchbox', { name: 'Search the log' }), '(')
  expect(await screen.findByText('1 of 3 lines')).toBeTruthy()
  expect(screen.getByText('(').tagName).toBe('MARK')
  await user.clear(screen.getByRole('searchbox', { name: 'Search the log' }))
  await user.type(screen.getByRole('searchbox', { name: 'Search the log' }), '<b>')
  expect((await screen.findByText('<b>')).tagName).toBe('MARK')
  await user.type(screen.getByRole('searchbox', { name: 'Search the log' }), 'zzz')
  expect(await screen.findByText('No line contains “<b>zzz”.')).toBeTruthy()
})

test('of ten thousand lines only the visible ones are in the page', () => {
  show({ state: 'running' }, { logs: Array.from({ length: 10_000 }, (_, i) => `line ${i}`) })
  expect(screen.getByText('10,000 lines')).toBeTruthy()
  expect(screen.getByRole('region', { name: 'Log lines' }).querySelectorAll('.flex').length).toBeLessThan(100)
})

test('the curves are also a table, and the picture has its words', async () => {
  const user = userEvent.setup()
  show({
    state: 'running',
    series: {
      train: { step: [25, 50], train_loss: [2.5, 1.25] },
      validation: { step: [50], val_loss: [1.5] },
      best: { step: 50, value: 1.5, path: 'p' },
    },
  })
  expect(screen.getByRole('img', { name: /Training loss from 2.500 to 1.250.*Best 1.500 at iteration 50/ })).toBeTruthy()
  await user.click(screen.getByRole('button', { name: 'Table' }))
  const rows = within(screen.getByRole('table')).getAllByRole('row')
  expect(rows.map((row) => row.textContent)).toEqual([
    expect.stringContaining('Train loss'),
    '252.500————',
    '501.2501.500———',
  ])
})

test('the configuration is there, with what was changed', () => {
  show({ state: 'running', config: { ...config, lora_rank: 64 } })
  expect(screen.getByTitle('64 (not the default)')).toBeTruthy()
})
