import axe from 'axe-core'
import { act, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test, vi } from 'vitest'

import { framesReceived } from '@/api/stream/streamEvents'
import { FrameMaker } from '@/test/fakeServer'
import { adapter, base, model } from '@/test/modelSamples'
import { renderRoute, type Answers } from '@/test/renderRoute'
import { ModelsPage } from './ModelsPage'

// Queries by role are slow in jsdom, and the machine may be busy.
vi.setConfig({ testTimeout: 30_000 })

const OTHER = model({ name: 'theirs', path: '/lmstudio/theirs', own: false, quantization: '4-bit', facts: ['Its vision part is not used.'] })
const BERT = model({ name: 'bert', path: '/models/bert', size_bytes: null, problem: 'It is an encoder (bert).' })
const ESTIMATE = {
  source: 'demo',
  source_bytes: 10_800_000,
  size_bytes: 1_700_000,
  disk_needed: 52_000_000,
  disk_free: 80_000_000_000,
  enough_space: true,
  output_name: 'demo-4bit',
  seconds: 3,
}
const NONE = { state: null, phase: null, progress: null, job_id: null, result: null }
const SERVER: Answers = {
  'GET /models': { body: { models: [model(), OTHER, BERT] } },
  'GET /models/downloads': { body: { downloads: [] } },
  'GET /models/catalog': { body: { bases: [base('Org/fits', 'ok'), base('Org/huge', 'too_large', { gated: true, license: null })], available_gb: 12 } },
  'GET /models/convert': { body: NONE },
  'GET /api/exports': { body: { exports: [], damaged: [], folder: '/exports', hub: 'https://huggingface.co' } },
  'GET /api/exports/upload': { body: { state: null } },
  'GET /system': { body: { recommended_working_set: 20_000_000_000 } },
  'GET /adapters': { body: { adapters: [adapter(), adapter({ name: 'with space', tags: ['maths'] })] } },
  'GET /models/convert/estimate?source=%2Fmodels%2Fdemo&quantize=4': { body: ESTIMATE },
}

const show = (answers: Answers = {}) => renderRoute(<ModelsPage />, { answers: { ...SERVER, ...answers }, path: '/models', route: '/models' })

test('models are listed with facts and fit, and what can’t be used says why', async () => {
  show()
  const table = await screen.findByRole('table', { name: 'Models' })
  const rows = within(table).getAllByRole('row').map((row) => row.textContent)
  expect(rows[1]).toContain('demoqwen22.7Mfloat3211 MB1,024yesOK')
  expect(rows[2]).toContain('Its vision part is not used.')
  expect(rows[3]).toContain('It is an encoder (bert).')
  expect(within(table).getByRole('button', { name: /theirs is not in the app’s own models folder/ })).toHaveProperty('disabled', true)
  expect(within(table).getByRole('button', { name: 'theirs is quantised already' })).toHaveProperty('disabled', true)
})

test('a fit that can’t be known is a dash', async () => {
  show({ 'GET /system': { body: { recommended_working_set: null } } })
  const table = await screen.findByRole('table', { name: 'Models' })
  expect(within(table).queryByText('OK')).toBeNull()
  expect(within(table).getAllByTitle('Memory of this machine unknown').map((each) => each.textContent)).toEqual(['—', '—'])
})

test('a conversion tells size and time before it is started', async () => {
  const { calls } = show({ 'POST /models/convert': { body: NONE } })
  const table = await screen.findByRole('table', { name: 'Models' })
  await userEvent.click(within(table).getByRole('button', { name: 'Convert or quantise demo…' }))
  const dialog = await screen.findByRole('dialog')
  expect(await within(dialog).findByText('11 MB → about 1.7 MB')).toBeTruthy()
  expect(within(dialog).getByText(/About 3 s, going by the last conversion here/)).toBeTruthy()
  await waitFor(() => expect(within(dialog).getByLabelText('Name of the new model')).toHaveProperty('value', 'demo-4bit'))
  await userEvent.click(within(dialog).getByRole('button', { name: 'Convert' }))
  expect(calls.find(({ request }) => request === 'POST /models/convert')?.body).toEqual({
    source: '/models/demo',
    output_name: 'demo-4bit',
    quantize: 4,
    dtype: null,
  })
})

test('a conversion at work is followed, and its end shows what became of it', async () => {
  const running = { ...NONE, state: 'running', phase: 'quantising', progress: 0, job_id: 'j1', source: 'demo', output_name: 'demo-4bit' }
  const server = { 'GET /models/convert': { body: running as object } }
  const { store } = show(server)
  expect(await screen.findByText('Quantising…')).toBeTruthy()

  server['GET /models/convert'].body = { ...running, state: 'completed', result: { name: 'demo-4bit', path: '/m', source_bytes: 10_800_000, size_bytes: 1_700_000, seconds: 2 } }
  const frame = new FrameMaker().make('job_completed', { kind: 'conversion', job_id: 'j1', state: 'completed', phase: 'done', progress: 1 } as never)
  act(() => void store.dispatch(framesReceived({ frames: [frame], at: 1 })))
  expect(await screen.findByText('demo-4bit is here')).toBeTruthy()
  expect(screen.getByText('11 MB became 1.7 MB in 2 s.')).toBeTruthy()
})

test('a refused deletion says why and keeps the dialog', async () => {
  show({ 'DELETE /models/demo': { status: 409, body: { error: 'WrongState', detail: 'The model demo can’t be deleted now: a run trains on it.', hint: null } } })
  const table = await screen.findByRole('table', { name: 'Models' })
  await userEvent.click(within(table).getByRole('button', { name: 'Delete demo…' }))
  await userEvent.click(within(await screen.findByRole('dialog')).getByRole('button', { name: 'Delete' }))
  expect(await screen.findByText('The model demo can’t be deleted now: a run trains on it.')).toBeTruthy()
})

test('adapters say where they come from, what they save, and where to go on', async () => {
  show()
  const group = await screen.findByRole('region', { name: 'demo' })
  expect(screen.getByText('2 adapters, 532 kB, instead of 2 models, 22 MB')).toBeTruthy()
  const row = within(group).getAllByRole('listitem')[1] as HTMLElement
  expect(row.textContent).toContain('2 checkpoints: 100, 200 (best) · best validation loss 0.447 at iteration 200')
  expect(row.textContent).toContain('tickets.jsonl, 842 rows')
  expect(within(row).getByRole('link', { name: 'Tickets' }).getAttribute('href')).toBe('/results/s1')
  expect(within(row).getByRole('link', { name: 'Fuse with…' }).getAttribute('href')).toBe('/fusion?adapters=with%20space')
  expect(within(row).getByRole('link', { name: 'Export…' }).getAttribute('href')).toBe('/fusion?export=with%20space')

  await userEvent.click(screen.getByRole('radio', { name: 'By task' }))
  expect(await screen.findByRole('region', { name: 'maths' })).toBeTruthy()
})

test('an adapter is renamed and tagged in one step', async () => {
  const { calls } = show({ 'PATCH /adapters/with%20space': { body: adapter({ name: 'plain' }) } })
  await userEvent.click(await screen.findByRole('button', { name: 'Rename or tag with space…' }))
  const dialog = await screen.findByRole('dialog')
  await userEvent.clear(within(dialog).getByLabelText('Name'))
  await userEvent.type(within(dialog).getByLabelText('Name'), 'plain')
  await userEvent.type(within(dialog).getByLabelText('Tags'), ', algebra')
  await userEvent.click(within(dialog).getByRole('button', { name: 'Save' }))
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
  expect(calls.find(({ request }) => request.startsWith('PATCH'))?.body).toEqual({ name: 'plain', tags: ['maths', 'algebra'] })
})

test('a base of the catalogue says what it needs, and one press fetches it', async () => {
  const { calls } = show({ 'POST /models/download': { status: 503, body: { error: 'HubUnreachable', detail: 'The hub does not answer.' } } })
  const list = await screen.findByRole('list', { name: 'Bases for this machine' })
  const [fits, huge] = within(list).getAllByRole('listitem')
  expect(fits?.textContent).toContain('4-bit LoRA 1.4 GB · fits')
  expect(fits?.textContent).toContain('494.0M · download 988 MB · apache-2.0')
  expect(huge?.textContent).toContain('too large')
  expect(huge?.textContent).toContain('— · needs a Hugging Face token')
  await userEvent.click(within(list).getByRole('button', { name: 'Download Org/fits' }))
  expect(await screen.findByText('Org/fits was not downloaded: The hub does not answer.')).toBeTruthy()
  expect(calls.find(({ request }) => request === 'POST /models/download')?.body).toEqual({ repo_id: 'Org/fits', revision: null })
})

test('the page has no accessibility problem that axe can find', async () => {
  show()
  await screen.findByRole('region', { name: 'demo' })
  const found = await axe.run(document.body, { rules: { 'color-contrast': { enabled: false }, region: { enabled: false } } })
  expect(found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([])
})
