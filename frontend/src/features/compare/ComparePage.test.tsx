import { act, fireEvent, screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import axe from 'axe-core'
import { afterEach, expect, test, vi } from 'vitest'
import { framesReceived } from '@/api/stream/streamEvents'
import { connectionChanged } from '@/run/reducer/runSlice'
import { FrameMaker } from '@/test/fakeServer'
import { renderPage, serve, type Answers } from '@/test/render'
import { useWaitingEvaluation } from '@/features/compare/waiting/useWaitingEvaluation'
import { asker } from '@/features/compare/ask/asker'
import { ComparePage } from './ComparePage'
import { AVAILABLE, SESSIONS } from './samples'

vi.setConfig({ testTimeout: 30_000 })

const KEPT = { id: 'k1', at: '2026-11-20T10:00:00Z', prompt: 'Hello?', answers: [{ model_name: 'demo', text: 'Hi' }] }
const SERVER: Answers = {
  'GET /models/available': { body: AVAILABLE },
  'GET /sessions': { body: { sessions: SESSIONS, next_cursor: null } },
  'GET /models/worker': { body: { state: 'none' } },
  'GET /api/comparisons': { body: { comparisons: [], next_cursor: null } },
  'GET /api/prompt-sets': { body: { prompt_sets: [] } },
  'POST /api/comparisons': { body: KEPT },
}

afterEach(() => asker.clear())

const box = () => screen.getByLabelText<HTMLTextAreaElement>('Prompt')

async function open(answers: Answers = {}, path = '/compare') {
  const calls = serve({ ...SERVER, ...answers })
  renderPage(<ComparePage />, { path })
  await screen.findByLabelText('Prompt')
  return calls
}

test('without a clipboard the Paste button puts the focus into the prompt and says which keys to press', async () => {
  await open()
  vi.stubGlobal('navigator', { platform: 'Linux', clipboard: { readText: () => Promise.reject(new Error('denied')) } })
  fireEvent.click(screen.getByRole('button', { name: 'Paste' }))
  expect(await screen.findByText(/Clipboard blocked\. Press Ctrl\+V/)).toBeTruthy()
  expect(document.activeElement).toBe(box())
})

test('in the desktop window Paste reads through the shell, at the place of the cursor', async () => {
  await open()
  fireEvent.change(box(), { target: { value: 'before after' } })
  box().setSelectionRange(7, 7)
  vi.stubGlobal('droid', { platform: 'linux', readClipboard: () => Promise.resolve('pasted ') })
  fireEvent.click(screen.getByRole('button', { name: 'Paste' }))
  await waitFor(() => expect(box().value).toBe('before pasted after'))
})

test('Ctrl-Enter sends the prompt to every target, and a refusal stands on the page', async () => {
  const refusal = { error: 'WrongState', detail: 'A run is active.', hint: 'Wait until it has ended.' }
  const calls = await open({ 'POST /models/compare': { status: 409, body: refusal } })
  fireEvent.change(box(), { target: { value: 'Hello?' } })
  fireEvent.keyDown(box(), { key: 'Enter', ctrlKey: true })
  expect(await screen.findByText('A run is active.')).toBeTruthy()
  const sent = calls.find(({ path }) => path === '/models/compare')
  expect(sent?.body).toMatchObject({
    prompt: 'Hello?',
    targets: [
      { model_name: 'demo', adapter_name: null },
      { model_name: 'demo', adapter_name: 'captain' },
    ],
  })
})

test('the system prompt of the training rows is put in, can be removed, and a held-out prompt is asked with one press', async () => {
  const trained = { system: 'Answer as a sea captain.', prompts: ['Where is the rum?', 'Who steers?'], source: 'valid.jsonl' }
  const calls = await open({ 'GET /adapters/captain/prompts': { body: trained } })
  const system = await screen.findByLabelText<HTMLTextAreaElement>('System prompt')
  expect(system.value).toBe(trained.system)
  await userEvent.click(screen.getByRole('button', { name: 'Who steers?' }))
  expect(box().value).toBe('Who steers?')
  const sent = calls.find(({ path }) => path === '/models/compare')
  expect(sent?.body).toMatchObject({ prompt: 'Who steers?', system: trained.system })
  await userEvent.click(screen.getByRole('button', { name: 'Remove' }))
  expect(screen.queryByDisplayValue(trained.system)).toBeNull()
  await userEvent.click(screen.getByRole('button', { name: 'Use the system prompt of its training rows' }))
  expect(screen.getByLabelText<HTMLTextAreaElement>('System prompt').value).toBe(trained.system)
})

test('the dialog says how ready each adapter is, and what can’t be used can’t be chosen', async () => {
  await open()
  await userEvent.click(screen.getByRole('button', { name: 'Choose models…' }))
  for (const name of ['half', 'torn', 'deleted', 'diverged']) {
    expect(screen.getByRole<HTMLInputElement>('checkbox', { name }).disabled).toBe(true)
  }
  expect(screen.getAllByText('legacy').length).toBeGreaterThan(0)
  expect(screen.getByText('wrong base')).toBeTruthy()
  expect(screen.getAllByText('missing files').length).toBe(1)
  expect(screen.getByText('training…')).toBeTruthy()
  expect(screen.getByText('no adapter')).toBeTruthy()
  await userEvent.click(screen.getByRole('checkbox', { name: 'old' }))
  await userEvent.click(screen.getByRole('button', { name: 'Use these 3' }))
  expect(await screen.findByRole('region', { name: 'old' })).toBeTruthy()
})

test('a link to an adapter that is gone says so', async () => {
  serve(SERVER)
  renderPage(<ComparePage />, { path: '/compare?adapter=gone' })
  expect(await screen.findByText('Adapter gone is no longer available.')).toBeTruthy()
})

test('the page has no accessibility problem that axe can find', async () => {
  await open()
  const found = await axe.run(document.body, { rules: { 'color-contrast': { enabled: false }, region: { enabled: false } } })
  expect(found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([])
})

const EVALUATIONS: Answers = {
  'GET /api/evaluation/status': { body: { running: false, progress: 0, current_question: 0, total_questions: 0, adapter_name: null, error: null } },
  'GET /api/evaluation/list': { body: { evaluations: [] } },
  'GET /api/evaluation/offers': { body: { judge: null, lm_eval: null, lm_eval_install: 'pip', tasks: [] } },
  'GET /api/prompt-sets': { body: { prompt_sets: [{ name: 'support', prompts: ['One?', 'Two?'] }] } },
  'GET /adapters/captain/prompts': { body: { system: 'Be brief.', prompts: [], source: null } },
  'POST /api/evaluation/compare': { body: { message: 'Asked.', adapter_name: 'captain', evaluation_id: 'e1', warnings: [] } },
}

function WithWaiting() {
  useWaitingEvaluation()
  return <ComparePage />
}

test('a prompt set is evaluated with the system prompt of the training rows, and only by what it can be measured by', async () => {
  const calls = serve({ ...SERVER, ...EVALUATIONS })
  renderPage(<ComparePage />, { path: '/compare?adapter=captain&view=evaluate' })
  await userEvent.selectOptions(await screen.findByLabelText('Evaluate on'), await screen.findByRole('option', { name: /^support/ }))
  expect(screen.queryByLabelText('Rows')).toBeNull()
  expect(screen.getAllByRole('checkbox').map((box) => box.parentElement?.textContent)).toEqual(['Length', 'Repetition'])
  await screen.findByText(/with the system prompt of the training rows/)
  await userEvent.click(screen.getByRole('button', { name: 'Evaluate' }))
  await waitFor(() => expect(calls.find(({ path }) => path === '/api/evaluation/compare')?.body).toMatchObject({ prompts: ['One?', 'Two?'], prompt_set: 'support', system: 'Be brief.' }))
})

test('during training an evaluation waits for its end, and starts by itself', async () => {
  const calls = serve({ ...SERVER, ...EVALUATIONS })
  const { store } = renderPage(<WithWaiting />, { path: '/compare?adapter=captain&view=evaluate' })
  const frames = new FrameMaker()
  act(() => {
    store.dispatch(connectionChanged('connected'))
    store.dispatch(framesReceived({ frames: [frames.snapshot({ state: 'running' })], at: 0 }))
  })
  await userEvent.click(await screen.findByRole('button', { name: 'Evaluate when training ends' }))
  expect(screen.getByText('The evaluation of captain starts when training ends.')).toBeTruthy()
  expect(calls.some(({ path }) => path === '/api/evaluation/compare')).toBe(false)
  act(() => void store.dispatch(framesReceived({ frames: [frames.snapshot({ state: 'completed' })], at: 1 })))
  await waitFor(() => expect(calls.find(({ path }) => path === '/api/evaluation/compare')?.body).toMatchObject({ adapter_name: 'captain' }))
  await waitFor(() => expect(store.getState().waiting.evaluation).toBeNull())
})

test('during the first training the page says what it waits for', async () => {
  const training = { name: 'first', has_best: false, has_latest: false, path: '/adapters/first', checkpoints: [], method: 'sft', session_id: 's', problem: 'It has no weights yet.' }
  serve({ ...SERVER, 'GET /sessions': { body: { sessions: [], next_cursor: null } }, 'GET /models/available': { body: { models: [{ name: 'demo', path: '/models/demo', problem: null, adapters: [training] }] } } })
  const { store } = renderPage(<ComparePage />, { path: '/compare' })
  act(() => void store.dispatch(framesReceived({ frames: [new FrameMaker().snapshot({ state: 'running', config: { adapter_name: 'first' } })], at: 0 })))
  expect(await screen.findByText('first can be compared with its base when training ends.')).toBeTruthy()
  expect(screen.getByRole('link', { name: 'Show the run' })).toBeTruthy()
})
