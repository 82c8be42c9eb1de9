import { fireEvent, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test, vi } from 'vitest'
import type { HubDatasetInfo, KnownSet } from '@/api/generated'
import { renderPage, serve, type Answers } from '@/test/render'
import { DatasetDialog } from './DatasetDialog'
import { complete, datasetIdOf, datasetIdProblem, limitProblem, methodOfForm, NOTHING, requestOf } from './hubDataset'

// Queries by role are slow in jsdom, and the machine may be busy.
vi.setConfig({ testTimeout: 30_000 })

const KNOWN: KnownSet = {
  topic: 'mathematics',
  repo_id: 'openai/gsm8k',
  config: 'main',
  split: 'train',
  columns: ['question', 'answer'],
  forms: [
    { to: 'completions', mapping: { prompt: 'question', completion: 'answer' } },
    { to: 'grpo', mapping: { prompt: 'question', answer: 'answer' }, answer_after: '####' },
  ],
  rows: 7473,
  license: null,
}
const SPLIT = { name: 'train', files: 1, size_bytes: 2_000_000, rows: 7473 }
const INFO: HubDatasetInfo = {
  repo_id: 'openai/gsm8k',
  revision: 'main',
  commit: 'c',
  license: 'mit',
  gated: false,
  configs: [
    { name: 'main', columns: [], splits: [{ ...SPLIT, name: 'test', rows: null }, SPLIT] },
    { name: 'socratic', columns: [], splits: [SPLIT] },
  ],
  known: KNOWN,
}
const ROW = { question: '2 + 2?', answer: 'So #### 4' }
const SERVER: Answers = {
  'GET /api/datasets/catalog': { body: { datasets: [KNOWN] } },
  'GET /api/datasets/downloads': { body: { downloads: [] } },
  'GET /api/datasets/hub': { body: INFO },
  'GET /api/datasets/hub/rows': { body: { file: 'main/train.parquet', read_bytes: 90_000, rows: [ROW], cut: false, problem: null } },
  'POST /api/datasets/convert/rows': { body: { rows: [{ row: { prompt: '2 + 2?', answer: '4' }, problem: null }] } },
}

function show(answers: Answers = {}) {
  const calls = serve({ ...SERVER, ...answers })
  renderPage(<DatasetDialog page="/setup" onClose={() => undefined} />)
  return calls
}

test('a name, an address and a wrong name', () => {
  expect(datasetIdOf(' https://huggingface.co/datasets/openai/gsm8k/viewer/main?p=1 ')).toBe('openai/gsm8k')
  expect(datasetIdOf('datasets/openai/gsm8k')).toBe('openai/gsm8k')
  expect(datasetIdProblem('squad')).toBeNull()
  for (const wrong of ['', 'a b/c', '../etc', 'a/b/c', 'http://169.254.169.254/x', 'ä/b']) expect(datasetIdProblem(wrong), wrong).not.toBeNull()
  expect([limitProblem(''), limitProblem('5')]).toEqual([null, null])
  expect(limitProblem('1.5')).not.toBeNull()
})

test('what nobody chose follows the catalogue, and another configuration forgets its columns', () => {
  expect(requestOf(INFO, { ...NOTHING, form: 'grpo', limit: '50' })).toEqual({
    repo_id: 'openai/gsm8k',
    revision: 'main',
    config: 'main',
    split: 'train',
    to: 'grpo',
    mapping: { prompt: 'question', answer: 'answer' },
    answer_after: '####',
    limit: 50,
  })
  expect(complete(INFO, { ...NOTHING, config: 'socratic', form: 'grpo' }).mapping).toBeNull()
  expect([methodOfForm('grpo', '/setup'), methodOfForm('preference', '/setup'), methodOfForm('chat', '/setup'), methodOfForm('chat', '/enhanced-setup')]).toEqual([
    'grpo',
    'dpo',
    null,
    'sft',
  ])
})

test('a set of the catalogue is seen before it is downloaded, and asked for as it was chosen', async () => {
  const calls = show({ 'POST /api/datasets/download': { status: 409, body: { error: 'AlreadyExists', detail: 'There is a data file already.', hint: 'Give another name.' } } })
  const entry = await screen.findByRole('button', { name: /openai\/gsm8k/ })
  expect(entry.textContent).toContain('licence: —')
  await userEvent.click(entry)

  expect(await screen.findByText('licence: mit')).toBeTruthy()
  await userEvent.selectOptions(screen.getByLabelText('Form'), 'grpo')
  const rows = await screen.findByRole('list', { name: 'First rows' })
  await waitFor(() => expect(within(rows).getByText('4')).toBeTruthy())
  await userEvent.click(screen.getByRole('button', { name: 'Download' }))

  expect(await screen.findByText('There is a data file already.')).toBeTruthy()
  expect(calls.find(({ path }) => path === '/api/datasets/download')?.body).toMatchObject({ to: 'grpo', answer_after: '####', split: 'train' })
})

test('without a preview it says why, and a refused set can be changed', async () => {
  show({
    'GET /api/datasets/hub/rows': { body: { file: 'a.parquet', read_bytes: 0, rows: [], cut: false, problem: 'It is sent only as a whole.' } },
  })
  fireEvent.click(await screen.findByRole('button', { name: /openai\/gsm8k/ }))

  expect(await screen.findByText(/It is sent only as a whole\. The rows can be looked at once the file is here\./)).toBeTruthy()
  fireEvent.click(screen.getByRole('button', { name: 'Choose another' }))
  expect(await screen.findByRole('region', { name: 'Well-known data sets' })).toBeTruthy()
})
