import { fireEvent, screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import axe from 'axe-core'
import { afterEach, expect, test, vi } from 'vitest'
import { renderPage, serve, type Answers } from '@/test/render'
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
  for (const name of ['half', 'torn', 'deleted']) {
    expect(screen.getByRole<HTMLInputElement>('checkbox', { name }).disabled).toBe(true)
  }
  expect(screen.getAllByText('legacy').length).toBeGreaterThan(0)
  expect(screen.getByText('wrong base')).toBeTruthy()
  expect(screen.getAllByText('missing files').length).toBe(2)
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
