/** What Setup says of the chosen files, from the examination of all their lines. */
import { fireEvent, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test, vi } from 'vitest'
import { inspection, job, LENGTHS } from '@/test/dataSamples'
import { DEMO } from '@/test/formSamples'
import { renderPage, serve, type Answers, type Call } from '@/test/render'
import { fileDefaults } from '@/start/fields/fileDefaults'
import { SETUP } from '@/start/page/setupSpec'
import { DataCard } from './DataCard'
import { STANDARD } from '@/start/page/startKinds'
import { useMethodForm } from '@/start/page/useMethodForm'

vi.setConfig({ testTimeout: 30_000 })

const TRAIN = '/data/train.jsonl'
const VALID = '/data/valid.jsonl'
const FOUND = {
  duplicates: { rows: 1, groups: [{ lines: [1, 9], count: 2 }] },
  leakage: { path: VALID, valid_rows: 4, shared_rows: 1, examples: [{ line: 3, valid_line: 1 }] },
  lengths: { ...LENGTHS, without_target: 2, without_target_lines: [18, 36] },
  tail_rows: 3,
}

const MODELS = [DEMO]
const TAKEN: ReadonlySet<string> = new Set()

function Page() {
  return <DataCard form={useMethodForm(STANDARD, { models: MODELS, taken: TAKEN }).form} errors={{}} />
}

function open(answers: Answers, edits: object = {}): readonly Call[] {
  localStorage.setItem('droid.setup', JSON.stringify({ edits: { train_data_path: TRAIN, val_data_path: '', ...edits }, level: 'simple' }))
  const calls = serve(answers)
  renderPage(<Page />)
  return calls
}

const found = (part: Parameters<typeof inspection>[0]): Answers => ({
  'POST /api/datasets/jobs': ({ body }) => {
    const { path } = body as { path: string }
    return { body: job({ path, result: inspection({ path, ...(path === TRAIN ? part : {}) }) }) }
  },
})

test('the file is compared with the chosen validation file, and what a run should know stands under it', async () => {
  const calls = open(found(FOUND), { val_data_path: VALID, mask_prompt: true, batch_size: '8' })
  const list = within(await screen.findByRole('list', { name: 'Findings in the training data' }))
  const titles = ['2 rows without anything to learn', '1 validation row is in the training file too', '1 row repeats an earlier one', '3 rows in the last batch']
  for (const title of titles) expect(list.getByText(title)).toBeTruthy()
  const asked = calls.filter((call) => (call.body as { path: string }).path === TRAIN)
  // First at the default length, then at the one that its rows fit.
  expect(asked[0]?.body).toEqual({ path: TRAIN, model: DEMO.path, max_seq_length: 1024, batch_size: 8, valid_path: VALID })
})

test('what does not touch this run is not told: no validation file, prompts learned too', async () => {
  open(found(FOUND))
  const list = within(await screen.findByRole('list', { name: 'Findings in the training data' }))
  expect(list.getAllByRole('listitem').map((item) => item.querySelector('p')?.textContent)).toEqual([
    '1 row repeats an earlier one',
    '3 rows in the last batch',
  ])
})

test('a file that was read in part is neither whole nor clean', async () => {
  open(found({ complete: false, rows: 5000, lengths: null, duplicates: null }))
  expect(await screen.findByText('first 5,000 rows read')).toBeTruthy()
  expect(screen.queryByText('no problems')).toBeNull()
  expect(screen.getByText('Chat · only the first 5,000 rows read')).toBeTruthy()
})

test('a large file is read to its end with progress, and can be stopped', async () => {
  const running = job({ path: TRAIN, state: 'running', phase: 'reading', progress: 0.3, result: null })
  const cancelled = job({ path: TRAIN, state: 'cancelled', phase: 'cancelled', result: null })
  let state = running
  open({
    'POST /api/datasets/jobs': { body: running },
    'GET /api/datasets/jobs/job-1': () => ({ body: state }),
    'DELETE /api/datasets/jobs/job-1': () => {
      state = cancelled
      return { body: cancelled }
    },
  })
  expect((await screen.findByText('Reading every line…')).parentElement?.textContent).toContain('30 %')
  expect(screen.queryByText(/no problems/)).toBeNull()
  await userEvent.click(screen.getByRole('button', { name: 'Stop' }))
  await waitFor(() => expect(state).toBe(cancelled))
})

test('a large file that is no longer wanted does not hold up the next', async () => {
  const running = job({ path: TRAIN, state: 'running', phase: 'reading', progress: 0.3, result: null })
  const calls = open({
    'POST /api/datasets/jobs': ({ body }) => {
      const { path } = body as { path: string }
      return { body: path === TRAIN ? running : job({ path, job_id: 'job-2', result: inspection({ path }) }) }
    },
    'GET /api/datasets/jobs/job-1': { body: running },
    'DELETE /api/datasets/jobs/job-1': { body: running },
  })
  await screen.findByText('Reading every line…')
  fireEvent.change(screen.getByLabelText('Training data'), { target: { value: '/data/small.jsonl' } })
  expect(await screen.findByText('100 rows')).toBeTruthy()
  expect(calls.filter((call) => call.method === 'DELETE').map((call) => call.path)).toEqual(['/api/datasets/jobs/job-1'])
})

test('a file with other column names is mapped on the spot, and the new file takes its place', async () => {
  const odd = { format: 'unknown', columns: ['id', 'frage', 'erwiderung'], good_rows: 0, problem_count: 100, sample: [{ id: 3, frage: 'Wo?', erwiderung: 'Hier.' }] }
  const written = { path: '/data/train-chat.jsonl', rows: 100, skipped: [], skipped_count: 0, notes: [] }
  const calls = open({ ...found(odd), 'POST /api/datasets/convert': { body: written } })
  await userEvent.click(await screen.findByRole('button', { name: 'Map columns…' }))
  await userEvent.click(screen.getByRole('button', { name: 'Convert' }))
  await userEvent.click(await screen.findByRole('button', { name: 'Use the new file' }))
  expect(screen.getByLabelText<HTMLInputElement>('Training data').value).toBe(written.path)
  expect(fileDefaults(SETUP, { path: written.path, longest: null })).toEqual({ adapter_name: 'data' })
  expect(calls.find(({ path }) => path === '/api/datasets/convert')?.body).toMatchObject({ mapping: { prompt: 'frage', completion: 'erwiderung' } })
})
