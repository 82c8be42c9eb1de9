import { fireEvent, screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import axe from 'axe-core'
import { expect, test, vi } from 'vitest'
import type { ExportResultAnswer, ExportStatus, FormatInfo } from '@/api/generated'
import { renderPage, serve, type Answers } from '@/test/render'
import { RESULT } from '@/features/fusion/samples'
import { ExportDialog } from './ExportDialog'

vi.setConfig({ testTimeout: 30_000 })

const format = (id: FormatInfo['id'], name: string, part: Partial<FormatInfo> = {}): FormatInfo => ({
  id, name, description: 'For mlx_lm.', extension: '.safetensors', size: 11_000_000, seconds: null, requires: null, available: true, reason: null, ...part,
})
const FORMATS = [
  format('merged', 'Merged model', { seconds: 12 }),
  format('gguf_q8', 'GGUF, 8 bits'),
  format('gguf_q4', 'GGUF, 4 bits', { available: false, reason: 'GGUF is written for llama models, and this one is rwkv.' }),
]
const IDLE: ExportStatus = { is_running: false, progress: 0, status: 'idle', error: null, current_step: null, result: null }
const RESULT_OF_LAW: ExportResultAnswer = {
  adapter_name: 'law', format: 'merged', output_name: 'law-merged', merged_dir: '/exports/law-merged', files: [], bytes: 11_000_000,
  seconds: 12, peak_memory_bytes: 1, quantisation: null, gguf_path: null, modelfile_path: null, ollama_model_name: null, lm_studio_path: null,
  smoke: { program: 'mlx_lm', prompt: 'Ahoy?', text: 'Aye!', tokens: 2, seconds: 1 },
  proof: RESULT.proof, unproven: null, worse: true, warnings: ['Only half of the change is kept.'], timestamp: '2026-12-01T00:00:00Z',
}
const SERVER: Answers = {
  'GET /api/fusion/export-formats': { body: FORMATS },
  'GET /api/fusion/export-programs': {
    body: [
      { id: 'ollama', name: 'Ollama', available: true, reason: null },
      { id: 'lm_studio', name: 'LM Studio', available: false, reason: 'There is no LM Studio model folder.' },
    ],
  },
  'GET /api/fusion/export-status': { body: IDLE },
}

async function open(answers: Answers = {}) {
  const calls = serve({ ...SERVER, ...answers })
  const onClose = vi.fn()
  renderPage(<ExportDialog adapter="law" onClose={onClose} />)
  await screen.findByRole('dialog', { hidden: true })
  return { calls, onClose }
}

const radio = (name: string) => screen.getByRole<HTMLInputElement>('radio', { name, hidden: true })
const button = (name: string) => screen.getByRole<HTMLButtonElement>('button', { name, hidden: true })

test('every format says its size and time, or why it can’t be', async () => {
  await open()
  await screen.findByText('up to 11 MB · about 12 s')
  expect(radio('GGUF, 4 bits').disabled).toBe(true)
  expect(screen.getByText(/Not possible: GGUF is written for llama models/)).toBeTruthy()
  expect(screen.getByText('There is no LM Studio model folder.')).toBeTruthy()
  expect(screen.getByText('Ollama takes GGUF formats.')).toBeTruthy()
  const found = await axe.run(document.body, { rules: { 'color-contrast': { enabled: false }, region: { enabled: false } } })
  expect(found.violations.map(({ id }) => id)).toEqual([])
})

test('what is chosen is asked for, and a refusal stands in the dialog', async () => {
  const { calls } = await open({
    'POST /api/fusion/export-model': { status: 409, body: { error: 'AlreadyExists', detail: 'There is already an export.', hint: 'Choose another name.' } },
  })
  await screen.findByText('GGUF, 8 bits')
  await userEvent.click(radio('GGUF, 8 bits'))
  await userEvent.click(screen.getByRole('switch', { name: 'Import into Ollama', hidden: true }))
  fireEvent.change(screen.getByLabelText('Name'), { target: { value: 'mine' } })
  await userEvent.click(button('Export'))
  await screen.findByText('There is already an export.')
  expect(calls.find(({ path }) => path === '/api/fusion/export-model')?.body).toEqual({
    adapter_name: 'law', format: 'gguf_q8', output_name: 'mine', import_to_ollama: true, copy_to_lm_studio: false,
  })
})

test('a finished export shows its answer, its scores, and that it is worse', async () => {
  await open({ 'GET /api/fusion/export-status': { body: { ...IDLE, status: 'completed', adapter_name: 'law', result: RESULT_OF_LAW } } })
  await screen.findByText(/Aye!/)
  expect(screen.getByText('The export is worse than the adapter')).toBeTruthy()
  expect(screen.getByText('Only half of the change is kept.')).toBeTruthy()
  expect(screen.getByText('/exports/law-merged')).toBeTruthy()
  expect(screen.getByRole('table', { name: 'Proof', hidden: true })).toBeTruthy()
})

test('a running export can be stopped, and the dialog closed meanwhile', async () => {
  const running = { ...IDLE, is_running: true, status: 'running', progress: 30, current_step: 'testing', job_id: 'j', adapter_name: 'law', output_name: 'law-merged' }
  const { calls, onClose } = await open({ 'GET /api/fusion/export-status': { body: running }, 'POST /api/fusion/export-stop': { body: { message: '' } } })
  await screen.findByText('Loading it in a fresh process…')
  expect(screen.getByText('30 %')).toBeTruthy()
  await userEvent.click(button('Stop'))
  await waitFor(() => expect(calls.some(({ path }) => path === '/api/fusion/export-stop')).toBe(true))
  await userEvent.click(button('Close, it goes on'))
  expect(onClose).toHaveBeenCalled()
})

test('a failed export says why, and can be tried again', async () => {
  await open({ 'GET /api/fusion/export-status': { body: { ...IDLE, status: 'error', adapter_name: 'law', error: 'The disk is full.', hint: 'Free some space.' } } })
  await screen.findByText('The export failed: The disk is full.')
  await waitFor(() => expect(button('Export').disabled).toBe(false))
})
