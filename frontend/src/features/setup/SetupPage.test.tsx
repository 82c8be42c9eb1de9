import { act, fireEvent, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import axe from 'axe-core'
import { expect, test } from 'vitest'
import { inspection, job } from '@/test/dataSamples'
import { renderPage, serve, type Answers } from '@/test/render'
import { DEMO, BROKEN, PREVIEW, QWEN, TARGETS } from '@/test/formSamples'
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

const review = () => screen.getByRole('complementary')
const startButton = () => within(review()).getByRole<HTMLButtonElement>('button', { name: /Start Training/ })
const ready = () => waitFor(() => expect(startButton().disabled).toBe(false), { timeout: 8000 })

test('a fresh machine is one press away from a run of the demo model', async () => {
  const calls = serve(SERVER)
  const { router } = renderPage(<SetupPage />, { path: '/setup' })
  await ready()
  await userEvent.click(startButton())
  await waitFor(() => expect(router.state.location.pathname).toBe('/training'))
  const [start] = calls.filter((call) => call.path === '/training/start')
  const preview = calls.filter((call) => call.path === '/training/preview').at(-1)
  expect(start?.body).toMatchObject({ model_path: DEMO.path, iterations: 120, lora_rank: 32, lora_keys: 'full' })
  const { notes, tags, confirm_high_scale, ...rest } = start?.body as Record<string, unknown>
  expect([notes, tags, confirm_high_scale]).toEqual(['', [], false])
  expect(preview?.body, 'what was previewed is what starts').toEqual(rest)
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

test('a strong scale is warned of, and one press eases it', async () => {
  const warning = 'Times the learning rate that is 3.2e-03. Scaling alpha_over_rank would make the multiplier 1.'
  const calls = serve({ ...SERVER, 'POST /training/preview': { body: { ...PREVIEW, warnings: [warning] } } })
  renderPage(<SetupPage />)
  const [fix] = await screen.findAllByRole('button', { name: 'Use alpha / rank' }, { timeout: 8000 })
  if (fix) await userEvent.click(fix)
  await waitFor(
    () => expect(calls.filter((call) => call.path === '/training/preview').at(-1)?.body).toMatchObject({ lora_scaling: 'alpha_over_rank' }),
    { timeout: 8000 },
  )
}, 20_000)

test('a start that needs a yes asks for it, with the milder way beside it', async () => {
  const doubt = 'Times the learning rate that is 3.2e-02. Scaling alpha_over_rank would make the multiplier 1.'
  const calls = serve({ ...SERVER, 'POST /training/preview': { body: { ...PREVIEW, needs_confirmation: doubt } } })
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
  await userEvent.click(dialog().getByRole('button', { name: 'Start all the same' }))
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
  await screen.findByText('The server does not answer.', {}, { timeout: 8000 })
  up = true
  await act(async () => fireEvent.click(screen.getByRole('button', { name: 'Retry' })))
  await screen.findByText(/1 model found/, {}, { timeout: 8000 })
}, 20_000)

test('the page has no accessibility violation that axe can find', async () => {
  serve(SERVER)
  localStorage.setItem('droid.setup', JSON.stringify({ edits: { lora_keys: ['mlp.up_proj'] }, level: 'advanced' }))
  const { container } = renderPage(<SetupPage />)
  await ready()
  const { violations } = await axe.run(container, {
    // Colours are not computed here (tokens.test.ts has them), and there is no page around the page.
    rules: { 'color-contrast': { enabled: false }, region: { enabled: false } },
  })
  expect(violations.map((each) => `${each.id}: ${each.nodes[0]?.html}`)).toEqual([])
}, 30_000)
