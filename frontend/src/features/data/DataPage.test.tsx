import axe from 'axe-core'
import { act, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test, vi } from 'vitest'

import type { ModelInfo } from '@/api/generated'
import { framesReceived } from '@/api/stream/streamEvents'
import { FrameMaker } from '@/test/fakeServer'
import { selectFileAsked } from '@/start/page/handoffSlice'
import { renderRoute, type Answers } from '@/test/renderRoute'
import { DataPage } from './DataPage'
import { inspection, job, PATH, PREVIEW } from '@/test/dataSamples'

// Queries by role are slow in jsdom, and the machine may be busy.
vi.setConfig({ testTimeout: 30_000 })

const MODEL: Partial<ModelInfo> = { name: 'demo', path: '/models/demo', problem: null }
const FILE = {
  name: 'rows.jsonl',
  path: PATH,
  source: 'datasets',
  format: 'chat',
  rows: 100,
  size_bytes: 73_000,
  modified: null,
  has_valid: true,
  has_test: false,
  problem: null,
}
const SERVER: Answers = {
  'GET /api/datasets': { body: { datasets: [FILE], folder: '/data' } },
  'GET /models': { body: { models: [MODEL] } },
  'POST /api/datasets/jobs': { body: job() },
  'POST /api/datasets/preview': { body: PREVIEW },
}
const AT = `/data?path=${PATH}&limit=64`

function show(answers: Answers = {}, path = AT) {
  return renderRoute(<DataPage />, { answers: { ...SERVER, ...answers }, path, route: '/data' })
}

test('without a file the page teaches, and a file of the list opens', async () => {
  const { calls } = show({}, '/data')
  expect(await screen.findByRole('heading', { name: 'Choose a file to inspect' })).toBeTruthy()

  await userEvent.click(await screen.findByRole('button', { name: /rows\.jsonl/ }))

  expect(await screen.findByRole('heading', { name: 'Findings' })).toBeTruthy()
  expect(calls.find(({ request }) => request === 'POST /api/datasets/jobs')?.body).toEqual({
    path: PATH,
    model: 'demo',
    max_seq_length: 1024,
  })
})

test('a file is described: findings, lengths with what is cut, and a row in tokens', async () => {
  show()
  expect(await screen.findByText('All rows are usable')).toBeTruthy()
  expect(screen.getByRole('img', { name: /14 are longer than 64 and are cut/ })).toBeTruthy()
  expect(screen.getByText('14 %')).toBeTruthy()
  const row = await screen.findByRole('group', { name: 'The row as the model sees it' })
  expect(row.querySelector('mark')?.textContent).toBe('Learned: A')
  expect(row.querySelector('s')?.textContent).toBe('Cut off: B')
})

test('the page has no accessibility problem that axe can find', async () => {
  show()
  await screen.findByRole('group', { name: 'The row as the model sees it' })
  const found = await axe.run(document.body, { rules: { 'color-contrast': { enabled: false }, region: { enabled: false } } })
  expect(found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([])
})

test('the histogram can be read as a table', async () => {
  show()
  await userEvent.click(await screen.findByRole('button', { name: 'Show as table' }))
  const table = screen.getByRole('table', { name: 'Rows by their length in tokens' })
  expect(within(table).getAllByRole('row').map((row) => row.textContent)).toEqual([
    'LengthRows',
    '0 to 63 tokens86',
    '64 tokens and more14',
  ])
})

test('the row can be chosen, and prompts masked or not', async () => {
  const { calls } = show()
  await screen.findByRole('group', { name: 'The row as the model sees it' })
  await userEvent.click(screen.getByRole('button', { name: 'Next row' }))
  await userEvent.click(screen.getByRole('switch', { name: 'Train on answers only' }))
  const asked = () => calls.filter(({ request }) => request === 'POST /api/datasets/preview').map(({ body }) => body)
  await waitFor(() =>
    expect(asked().at(-1)).toEqual({ path: PATH, model: 'demo', max_seq_length: 64, mask_prompt: true, row: 2 }),
  )
})

test('a long examination tells how far it is, can be stopped, and shows its result', async () => {
  const running = job({ state: 'running', phase: 'reading', progress: 0.1, result: null })
  const server = { 'GET /api/datasets/jobs/job-1': { body: running } }
  const { store, calls } = show({ 'POST /api/datasets/jobs': { body: running }, ...server })
  expect(await screen.findByText(/10 %/)).toBeTruthy()

  const make = new FrameMaker()
  const data = { kind: 'inspection', job_id: 'job-1', state: 'running', phase: 'measuring', progress: 0.5 } as const
  act(() => void store.dispatch(framesReceived({ frames: [make.make('job_progress', data)], at: 1 })))
  expect(await screen.findByText(/50 %/)).toBeTruthy()
  expect(screen.getByText('Measuring rows in tokens…')).toBeTruthy()

  server['GET /api/datasets/jobs/job-1'].body = job()
  const done = make.make('job_completed', { ...data, state: 'completed', phase: 'done', progress: 1 })
  act(() => void store.dispatch(framesReceived({ frames: [done], at: 2 })))
  await waitFor(() => expect(calls.filter(({ request }) => request.startsWith('GET /api/datasets/jobs')).length).toBe(2))
  expect(await screen.findByText('All rows are usable')).toBeTruthy()
})

test('a stopped examination stays stopped until it is asked for again', async () => {
  const running = job({ state: 'running', phase: 'reading', progress: 0.1, result: null })
  const cancelled = job({ state: 'cancelled', phase: 'cancelled', result: null })
  const server = { 'GET /api/datasets/jobs/job-1': { body: running } }
  const { store, calls } = show({
    'POST /api/datasets/jobs': { body: running },
    'DELETE /api/datasets/jobs/job-1': { body: cancelled },
    ...server,
  })
  await userEvent.click(await screen.findByRole('button', { name: 'Stop' }))
  server['GET /api/datasets/jobs/job-1'].body = cancelled
  const frame = new FrameMaker().make('job_error', { ...cancelled, kind: 'inspection', result: undefined } as never)
  act(() => void store.dispatch(framesReceived({ frames: [frame], at: 1 })))

  expect(await screen.findByText('Stopped before the file was read.')).toBeTruthy()
  expect(calls.filter(({ request }) => request === 'POST /api/datasets/jobs').length).toBe(1)
})

test('a file that can’t be read says why and what to do', async () => {
  const refusal = { error: 'NotFound', detail: 'There is no file.', hint: 'Check the path.' }
  show({ 'POST /api/datasets/jobs': { status: 404, body: refusal } })
  expect(await screen.findByText('There is no file.')).toBeTruthy()
  expect(screen.getByText('Check the path.')).toBeTruthy()
})

test('columns of any name are mapped, and a file that exists is replaced only when asked', async () => {
  const found = inspection({ format: 'unknown', columns: ['question', 'solution'], good_rows: 0, problem_count: 9, lengths: null })
  const exists = { error: 'AlreadyExists', detail: 'It exists already.', hint: null }
  const { calls } = show({
    'POST /api/datasets/jobs': { body: job({ result: found }) },
    'POST /api/datasets/convert': { status: 409, body: exists },
  })
  await userEvent.click(await screen.findByRole('button', { name: 'Map columns…' }))
  await userEvent.selectOptions(screen.getByLabelText('Format'), 'grpo')
  expect(screen.getByLabelText<HTMLSelectElement>('Column for prompt').value).toBe('question')
  await userEvent.click(screen.getByRole('button', { name: 'Convert' }))
  await userEvent.click(await screen.findByRole('button', { name: 'Replace' }))
  const sent = calls.filter(({ request }) => request === 'POST /api/datasets/convert').map(({ body }) => body)
  const body = {
    path: PATH,
    output_path: 'rows-grpo.jsonl',
    to: 'grpo',
    mapping: { prompt: 'question', answer: 'solution' },
  }
  expect(sent).toEqual([
    { ...body, overwrite: false },
    { ...body, overwrite: true },
  ])
})

test('a split tells what was written', async () => {
  const answer = {
    path: '/data/rows-split',
    train: { path: '/data/rows-split/train.jsonl', rows: 80 },
    valid: { path: '/data/rows-split/valid.jsonl', rows: 20 },
    test: null,
    skipped: [],
    skipped_count: 0,
    seed: 0,
  }
  const { calls, store } = show({ 'POST /api/datasets/split': { body: answer } })
  await userEvent.click(await screen.findByRole('button', { name: 'Split…' }))
  await userEvent.clear(screen.getByLabelText('Validation, %'))
  await userEvent.type(screen.getByLabelText('Validation, %'), '20')
  await userEvent.click(screen.getByRole('button', { name: 'Split' }))
  expect(await screen.findByText(/80 rows in/)).toBeTruthy()
  const sent = calls.find(({ request }) => request === 'POST /api/datasets/split')
  expect(sent?.body).toMatchObject({ output_dir: 'rows-split', valid_share: 0.2, test_share: 0, seed: 0 })

  await userEvent.click(screen.getByRole('button', { name: 'Train with these files' }))
  expect(selectFileAsked(store.getState())).toEqual({ path: answer.train.path, valid: answer.valid.path, method: null })
  expect(await screen.findByText('Another page')).toBeTruthy()
})

test.each([
  ['chat', null],
  ['preference', 'dpo'],
])('a file of %s rows is handed to the page that trains on it', async (format, method) => {
  const { store } = show({ 'POST /api/datasets/jobs': { body: job({ result: inspection({ format }) }) } })
  await userEvent.click(await screen.findByRole('button', { name: 'Train with this file' }))
  expect(selectFileAsked(store.getState())).toEqual({ path: PATH, method })
  expect(await screen.findByText('Another page')).toBeTruthy()
})

test('a file of unknown columns is mapped, and what is written is trained with', async () => {
  const columns = ['id', 'frage', 'erwiderung']
  const result = inspection({ format: 'unknown', columns, good_rows: 0, sample: [{ id: 3, frage: 'Wo?', erwiderung: 'Hier.' }] })
  const written = { path: '/data/rows-chat.jsonl', rows: 100, skipped: [], skipped_count: 0, notes: [] }
  const { calls, store } = show({ 'POST /api/datasets/jobs': { body: job({ result }) }, 'POST /api/datasets/convert': { body: written } })
  await userEvent.click(await screen.findByRole('button', { name: 'Map columns…' }))
  await userEvent.click(screen.getByRole('button', { name: 'Convert' }))
  await userEvent.click(await screen.findByRole('button', { name: 'Train with this file' }))
  expect(selectFileAsked(store.getState())).toEqual({ path: written.path, method: null })
  const sent = calls.find(({ request }) => request === 'POST /api/datasets/convert')
  expect(sent?.body).toMatchObject({ to: 'chat', mapping: { prompt: 'frage', completion: 'erwiderung' } })
})
