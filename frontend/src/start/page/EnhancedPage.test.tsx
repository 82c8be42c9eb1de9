import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test, vi } from 'vitest'
import { DEMO, PREVIEW, TARGETS } from '@/test/formSamples'
import { METHODS, REWARDS } from '@/test/enhancedSamples'
import { inspection, job } from '@/test/dataSamples'
import { renderPage, serve, type Answers, type Call } from '@/test/render'
import { EnhancedPage } from './EnhancedPage'

// Queries by role are slow in jsdom, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 })

const HASH = 'a'.repeat(64)
const ANSWERS: Answers = {
  'GET /models': { body: { models: [{ ...DEMO, context_length: 512 }] } },
  'GET /models/%2Fmodels%2Fdroid-demo/lora': { body: TARGETS },
  'GET /sessions': { body: { sessions: [], next_cursor: null } },
  'GET /models/downloads': { body: { downloads: [] } },
  'GET /api/training/methods': { body: { success: true, methods: METHODS } },
  'GET /api/training/reward-functions': { body: REWARDS },
  'POST /api/training/preview-enhanced': { body: PREVIEW },
  'POST /api/training/estimate-resources': { status: 422, body: { error: 'X', detail: 'Not now.' } },
}

function open(answers: Answers = {}): readonly Call[] {
  const calls = serve({ ...ANSWERS, ...answers })
  renderPage(<EnhancedPage />)
  return calls
}

const lastBody = (calls: readonly Call[], path: string) =>
  calls.findLast((call) => call.path === path)?.body as Readonly<Record<string, unknown>> | undefined

async function choose(user: ReturnType<typeof userEvent.setup>, method: string) {
  await user.click(await screen.findByRole('radio', { name: method }))
}

test('the form has what the method has, and greys what does nothing with its reason', async () => {
  const user = userEvent.setup()
  open()
  await choose(user, 'Dr. GRPO')
  const epsilon = screen.getByLabelText<HTMLInputElement>('Epsilon')
  expect(epsilon.disabled).toBe(true)
  expect(screen.getByText('At one update nothing is ever clipped.')).toBeTruthy()
  expect(screen.getByLabelText<HTMLSelectElement>('Normalisation').disabled).toBe(true)
  await user.clear(screen.getByLabelText('Updates per rollout'))
  await user.type(screen.getByLabelText('Updates per rollout'), '2')
  expect(epsilon.disabled).toBe(false)

  await choose(user, 'DPO')
  expect(screen.queryByLabelText('Epsilon')).toBeNull()
  expect(screen.getByLabelText<HTMLInputElement>('Beta').value).toBe('0.1')
  expect(screen.getByLabelText<HTMLInputElement>('Learning rate').value).toBe('1e-6')
})

test('rewards are chosen with their documentation and sent with their weights', async () => {
  const user = userEvent.setup()
  const calls = open()
  await choose(user, 'Dr. GRPO')
  expect(screen.getByText('No functions chosen')).toBeTruthy()
  await user.click(screen.getByRole('button', { name: 'Choose functions…' }))
  await user.click(screen.getByRole('checkbox', { name: 'token_f1' }))
  await user.click(screen.getByRole('checkbox', { name: 'length_window' }))
  await user.click(screen.getByRole('button', { name: 'Done' }))
  const list = within(screen.getByRole('list', { name: 'Chosen reward functions' }))
  await user.type(list.getAllByLabelText('Weight')[1] as HTMLElement, '0.5')
  await user.type(screen.getByLabelText('Training data'), '/rows.jsonl')
  await waitFor(() =>
    expect(lastBody(calls, '/api/training/preview-enhanced')).toMatchObject({
      training_method: 'dr_grpo',
      reward_functions: 'token_f1, length_window(20;80)',
      reward_weights: '[1, 0.5]',
      lora_keys: 'qv',
      batch_size: 4,
      max_seq_length: 512,
      train_data_path: '/rows.jsonl',
    }),
  )
})

test('what a method does not take is not sent', async () => {
  const user = userEvent.setup()
  const calls = open()
  await choose(user, 'Dr. GRPO')
  await user.clear(screen.getByLabelText('Group size'))
  await user.type(screen.getByLabelText('Group size'), '8')
  await choose(user, 'DPO')
  await user.type(screen.getByLabelText('Training data'), '/p.jsonl')
  await waitFor(() =>
    expect(lastBody(calls, '/api/training/preview-enhanced')).toMatchObject({ training_method: 'dpo', train_data_path: '/p.jsonl' }),
  )
  expect(lastBody(calls, '/api/training/preview-enhanced')).not.toHaveProperty('group_size')
})

test('every line is validated for the method, and what is wrong stands in the page', async () => {
  const user = userEvent.setup()
  const report = {
    success: true,
    valid: false,
    num_samples: 1,
    format: 'chat',
    needs: 'prompt_answer',
    message: '1 row of rows.jsonl can be used, 1 can not.',
    error: 'x',
    hint: 'Every line must have an answer.',
    errors: [{ line: 2, message: 'Line 2 has no "answer".' }],
    error_count: 1,
    warnings: ['There is only 1 row.'],
    convertible_to: 'grpo',
  }
  const calls = open({ 'POST /api/training/validate-data': { body: report } })
  await choose(user, 'Dr. GRPO')
  await user.type(screen.getByLabelText('Training data'), '/rows.jsonl')
  await user.click(screen.getByRole('button', { name: 'Validate every line' }))
  expect(await screen.findByText('Line 2 has no "answer".')).toBeTruthy()
  expect(screen.getByText('There is only 1 row.')).toBeTruthy()
  expect(screen.getByRole('button', { name: 'Convert to grpo…' })).toBeTruthy()
  expect(lastBody(calls, '/api/training/validate-data')).toEqual({ method: 'dr_grpo', data_path: '/rows.jsonl' })
})

test('own code is trusted only after it was shown and said to be read', async () => {
  const user = userEvent.setup()
  const code = {
    success: true,
    path: '/own.py',
    sha256: HASH,
    size_bytes: 10,
    code: 'def kind(): ...',
    functions: [{ name: 'kind', line: 1, doc: '' }],
    imports: ['os'],
    trusted: false,
    warnings: [],
  }
  const calls = open({
    'POST /api/training/reward-functions/inspect': { body: code },
    'POST /api/training/reward-functions/trust': { body: { success: true, files: [] } },
  })
  await choose(user, 'Dr. GRPO')
  await user.type(screen.getByLabelText('Own functions'), '/own.py')
  await user.click(screen.getByRole('button', { name: 'Review code…' }))
  expect(await screen.findByText('def kind(): ...')).toBeTruthy()
  const trust = screen.getByRole<HTMLButtonElement>('button', { name: 'Trust this file' })
  expect(trust.disabled).toBe(true)
  await user.click(screen.getByRole('checkbox', { name: /I have read this code/ }))
  await user.click(trust)
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
  expect(lastBody(calls, '/api/training/reward-functions/trust')).toEqual({ path: '/own.py', sha256: HASH })
})

test('a refused start stays in the page, beside its field', async () => {
  const user = userEvent.setup()
  const refusal = { error: 'Invalid', detail: 'No such function.', hint: 'Did you mean token_f1?', errors: [{ field: 'reward_functions', message: 'No such function.' }], success: false }
  open({ 'POST /api/training/start-enhanced': { status: 422, body: refusal } })
  await choose(user, 'Dr. GRPO')
  await user.type(screen.getByLabelText('Training data'), '/rows.jsonl')
  const start = screen.getAllByRole<HTMLButtonElement>('button', { name: /^Start Training/ })[0] as HTMLButtonElement
  await waitFor(() => expect(start.disabled).toBe(false))
  await user.click(start)
  expect((await screen.findAllByText('No such function.')).length).toBeGreaterThan(1)
})

test('columns of any name become a preference file', async () => {
  const user = userEvent.setup()
  const written = { path: '/rows-preference.jsonl', rows: 2, skipped: [], skipped_count: 0, notes: [] }
  const calls = open({
    'POST /api/datasets/jobs': { body: job({ path: '/rows.jsonl', result: inspection({ path: '/rows.jsonl', format: 'unknown', columns: ['question', 'good', 'meh'], lengths: null }) }) },
    'POST /api/datasets/convert': { body: written },
  })
  await choose(user, 'DPO')
  await user.type(screen.getByLabelText('Training data'), '/rows.jsonl')
  await user.click(await screen.findByRole('button', { name: 'Map columns…' }))
  const dialog = within(await screen.findByRole('dialog', { name: 'Convert' }))
  expect(dialog.getByRole('switch', { name: 'Map columns' }).getAttribute('aria-checked') ?? dialog.getByRole<HTMLInputElement>('switch', { name: 'Map columns' }).checked, 'unknown columns are mapped at once').toBeTruthy()
  const convert = dialog.getByRole<HTMLButtonElement>('button', { name: 'Convert' })
  expect(convert.disabled, 'no column is known to be the worse answer').toBe(true)
  await user.selectOptions(dialog.getByLabelText('Column for rejected'), 'meh')
  await user.click(convert)
  await dialog.findByText('Converted')
  expect(lastBody(calls, '/api/datasets/convert')).toMatchObject({
    to: 'preference',
    mapping: { prompt: 'question', chosen: 'good', rejected: 'meh' },
  })
})

test('with the demo model the rows for its method are one press away', async () => {
  const user = userEvent.setup()
  const file = (format: string) => ({ name: 'train', path: `/app/demo/${format}/train.jsonl`, source: 'demo', format, rows: 9, size_bytes: 9, modified: null, has_valid: true, has_test: true, problem: null })
  open({ 'GET /api/datasets': { body: { datasets: ['chat', 'preference', 'grpo'].map(file), folder: '/data' } } })
  await choose(user, 'DPO')
  await user.click(await screen.findByRole('button', { name: 'Use the demo data for DPO' }))
  expect(screen.getByLabelText<HTMLInputElement>('Training data').value).toBe('/app/demo/preference/train.jsonl')
  expect(screen.queryByRole('button', { name: /^Use the demo data/ })).toBeNull()
})
