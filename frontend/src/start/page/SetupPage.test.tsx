import { act, fireEvent, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import axe from 'axe-core'
import { beforeEach, expect, test } from 'vitest'
import { inspection, job, LENGTHS } from '@/test/dataSamples'
import { renderPage, serve, type Answers } from '@/test/render'
import { DEMO, BROKEN, PREVIEW, QWEN, rememberDemo, TARGETS } from '@/test/formSamples'
import { SetupPage } from './SetupPage'

const SERVER: Answers = {
  'GET /models': { body: { models: [DEMO, QWEN, BROKEN] } },
  'GET /models/%2Fmodels%2Fdroid-demo/lora': { body: TARGETS },
  'GET /sessions': { body: { sessions: [], next_cursor: null } },
  'POST /api/datasets/jobs': ({ body }) => {
    const { path } = body as { path: string }
    return { body: job({ path, result: inspection({ path, rows: 360, lengths: null }) }) }
  },
  'POST /training/preview': { body: PREVIEW },
  'POST /training/start': { body: { status: 'started', message: 'Started.', session_id: 's1', warnings: [] } },
}

beforeEach(rememberDemo)

const review = () => screen.getByRole('complementary')
const startButton = () => within(review()).getByRole<HTMLButtonElement>('button', { name: /Start Training/ })
const ready = () => waitFor(() => expect(startButton().disabled).toBe(false), { timeout: 8000 })

test('a fresh machine is one press away from a run of the demo model', async () => {
  const calls = serve(SERVER)
  localStorage.clear()
  const { router } = renderPage(<SetupPage />, { path: '/setup' })
  const press = await screen.findByRole('button', { name: 'Train the demo' })
  expect(screen.getByLabelText<HTMLInputElement>('Training data').value, 'its rows are no default').toBe('')
  await screen.findByText(/Train the demo model in about 30 s/, {}, { timeout: 8000 })
  await userEvent.click(press)
  await waitFor(() => expect(router.state.location.pathname).toBe('/training'))
  const [start] = calls.filter((call) => call.path === '/training/start')
  const preview = calls.filter((call) => call.path === '/training/preview').at(-1)
  expect(start?.body).toMatchObject({ model_path: DEMO.path, iterations: 120, lora_rank: 32, lora_keys: 'full' })
  const { notes, tags, ...rest } = start?.body as Record<string, unknown>
  expect([notes, tags]).toEqual(['', []])
  expect(preview?.body, 'what was previewed is what starts').toEqual(rest)
}, 20_000)

test('what nobody edited follows the chosen file, and what was typed stays', async () => {
  localStorage.clear()
  const calls = serve({
    ...SERVER,
    'POST /api/datasets/jobs': ({ body }) => {
      const { path } = body as { path: string }
      return { body: job({ path, result: inspection({ path, lengths: { ...LENGTHS, longest: 300 } }) }) }
    },
    'GET /sessions': { body: { sessions: [{ adapter_name: 'my-support-rows' }], next_cursor: null } },
  })
  renderPage(<SetupPage />, { path: '/setup' })
  fireEvent.change(await screen.findByLabelText('Batch size', { selector: 'input' }), { target: { value: '2' } })
  fireEvent.change(screen.getByLabelText('Training data'), { target: { value: '/data/my support rows.jsonl' } })
  await waitFor(() => {
    const preview = calls.filter((call) => call.path === '/training/preview').at(-1)
    expect(preview?.body).toMatchObject({
      train_data_path: '/data/my support rows.jsonl',
      val_data_path: '',
      epochs: 3,
      max_seq_length: 512,
      adapter_name: 'my-support-rows_2',
      batch_size: 2,
    })
  }, { timeout: 8000 })
  expect(screen.queryByRole('button', { name: 'Train the demo' })).toBeNull()
  fireEvent.change(screen.getByLabelText('Adapter name'), { target: { value: 'mine' } })
  fireEvent.change(screen.getByLabelText('Training data'), { target: { value: '/data/other.jsonl' } })
  expect(screen.getByLabelText<HTMLInputElement>('Adapter name').value).toBe('mine')
}, 20_000)

test('a refusal stands beside its field and in the review, and nothing can be started', async () => {
  const refusal = {
    error: 'Invalid',
    detail: 'Batch size 900 is more than the 360 training rows.',
    hint: 'Use at most 360.',
    errors: [{ field: 'batch_size', message: '900 is more than the 360 training rows.' }],
  }
  serve({ ...SERVER, 'POST /training/preview': { status: 422, body: refusal } })
  renderPage(<SetupPage />)
  await screen.findByText('900 is more than the 360 training rows.', {}, { timeout: 8000 })
  const field = screen.getByLabelText('Batch size', { selector: 'input' })
  expect(field.getAttribute('aria-invalid')).toBe('true')
  expect(within(review()).getByRole('alert').textContent).toContain(refusal.detail)
  expect(startButton().disabled).toBe(true)
}, 20_000)

const strong = (message: string) => ({
  code: 'strong_scaling',
  level: 'caution',
  message,
  fix: { label: 'Use alpha / rank', field: 'lora_scaling', value: 'alpha_over_rank' },
})

test('a strong scale is warned of, and one press eases it', async () => {
  const warning = 'Times the learning rate that is 3.2e-03. Scaling alpha_over_rank would make the multiplier 1.'
  const calls = serve({ ...SERVER, 'POST /training/preview': { body: { ...PREVIEW, remarks: [strong(warning)] } } })
  renderPage(<SetupPage />)
  const [fix] = await screen.findAllByRole('button', { name: 'Use alpha / rank' }, { timeout: 8000 })
  if (fix) await userEvent.click(fix)
  await waitFor(
    () => expect(calls.filter((call) => call.path === '/training/preview').at(-1)?.body).toMatchObject({ lora_scaling: 'alpha_over_rank' }),
    { timeout: 8000 },
  )
}, 20_000)

test('a validation file that may not belong to the rows is questioned, and one press holds rows out', async () => {
  const doubt = 'The validation file valid.jsonl may not belong to train.jsonl: it is in another folder (/captain).'
  const holdOut = { label: 'Hold rows out instead', field: 'val_data_path', value: '' }
  localStorage.setItem('droid.setup', JSON.stringify({ edits: { train_data_path: '/data/a.jsonl', val_data_path: '/captain/valid.jsonl' }, level: 'simple' }))
  const calls = serve({
    ...SERVER,
    'POST /training/preview': ({ body }) => {
      const { val_data_path: valid } = body as { val_data_path: string }
      return { body: { ...PREVIEW, remarks: valid === '' ? [] : [{ code: 'foreign_validation', level: 'caution', message: doubt, fix: holdOut }] } }
    },
  })
  renderPage(<SetupPage />)
  const [fix] = await screen.findAllByRole('button', { name: 'Hold rows out instead' }, { timeout: 8000 })
  if (fix) await userEvent.click(fix)
  await waitFor(() => expect(screen.queryByText(doubt)).toBeNull(), { timeout: 8000 })
  expect(calls.filter((call) => call.path === '/training/preview').at(-1)?.body).toMatchObject({ val_data_path: '' })
}, 20_000)

test('a start that needs a yes asks for it, with the milder way beside it', async () => {
  const doubt = 'Times the learning rate that is 3.2e-02. Scaling alpha_over_rank would make the multiplier 1.'
  const calls = serve({ ...SERVER, 'POST /training/preview': { body: { ...PREVIEW, needs_confirmation: doubt, remarks: [strong(doubt)] } } })
  const { router } = renderPage(<SetupPage />, { path: '/setup' })
  await ready()
  await userEvent.click(startButton())
  const dialog = () => within(screen.getByRole('dialog'))
  await userEvent.click(dialog().getByRole('button', { name: 'Use alpha / rank' }))
  expect(screen.queryByRole('dialog')).toBeNull()
  await ready()
  await userEvent.click(startButton())
  expect(dialog().queryByRole('button', { name: 'Use alpha / rank' }), 'it is in use by now').toBeNull()
  expect(calls.some((call) => call.path === '/training/start')).toBe(false)
  await userEvent.click(dialog().getByRole('button', { name: 'Start anyway' }))
  await waitFor(() => expect(router.state.location.pathname).toBe('/training'))
  const start = calls.find((call) => call.path === '/training/start')
  expect(start?.body).toMatchObject({ confirm_high_scale: true, lora_scaling: 'alpha_over_rank' })
}, 30_000)

test('while the server starts, the list says so, and is there as soon as it answers', async () => {
  let up = false
  serve({
    ...SERVER,
    'GET /models': () => (up ? { body: { models: [QWEN] } } : { status: 503, body: {} }),
  })
  renderPage(<SetupPage />)
  await screen.findByText('Can’t reach the app’s server.', {}, { timeout: 8000 })
  up = true
  await act(async () => fireEvent.click(screen.getByRole('button', { name: 'Try again' })))
  await screen.findByText(/1 model found/, {}, { timeout: 8000 })
}, 20_000)

test('the page has no accessibility violation that axe can find', async () => {
  serve(SERVER)
  localStorage.setItem('droid.setup', JSON.stringify({ edits: { train_data_path: '/data/a.jsonl', lora_keys: ['mlp.up_proj'] }, level: 'advanced' }))
  const { container } = renderPage(<SetupPage />)
  await ready()
  const { violations } = await axe.run(container, {
    // Colours are not computed here (tokens.test.ts has them), and there is no page around the page.
    rules: { 'color-contrast': { enabled: false }, region: { enabled: false } },
  })
  expect(violations.map((each) => `${each.id}: ${each.nodes[0]?.html}`)).toEqual([])
}, 30_000)

test('sample prompts are typed or taken from held-out rows, and go out with the start', async () => {
  const calls = serve({
    ...SERVER,
    'POST /training/held-out-prompts': { body: { prompts: ['Held out?', 'And this?'], source: 'rows.jsonl' } },
  })
  renderPage(<SetupPage />, { path: '/setup' })
  await ready()
  const card = within(screen.getByRole('region', { name: 'Live samples' }))
  await userEvent.click(card.getByRole('button', { name: 'Add prompt' }))
  fireEvent.change(card.getByLabelText('Sample prompt 1'), { target: { value: 'Mine?' } })
  await userEvent.click(card.getByRole('button', { name: 'Use held-out prompts' }))
  await card.findByDisplayValue('And this?')
  await userEvent.click(card.getByRole('button', { name: 'Remove sample prompt 2' }))
  fireEvent.change(card.getByLabelText('Longest answer'), { target: { value: '64' } })
  await ready()
  await userEvent.click(startButton())
  await waitFor(() => {
    const start = calls.find((call) => call.path === '/training/start')
    expect(start?.body).toMatchObject({ sample_prompts: ['Mine?', 'And this?'], sample_max_tokens: 64 })
  })
}, 20_000)
