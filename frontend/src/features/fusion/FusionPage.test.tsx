import { act, fireEvent, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import axe from 'axe-core'
import { expect, test, vi } from 'vitest'
import { framesReceived } from '@/api/stream/streamEvents'
import { FrameMaker } from '@/test/fakeServer'
import { renderPage, serve, type Answers } from '@/test/render'
import { FusionPage } from './FusionPage'
import { ADAPTERS, adapterOf, CHECK, COMPLETED, IDLE, RESULT, RUNNING } from './samples'

vi.setConfig({ testTimeout: 30_000 })

const SERVER: Answers = {
  'GET /api/fusion/list-adapters': { body: { adapters: ADAPTERS } },
  'GET /api/fusion/status': { body: IDLE },
  'POST /api/fusion/validate': { body: CHECK },
}

async function open(answers: Answers = {}, path = '/fusion') {
  const calls = serve({ ...SERVER, ...answers })
  const page = renderPage(<FusionPage />, { path })
  await waitFor(() => expect(document.querySelector('[aria-busy="true"]')).toBeNull())
  return { ...page, calls }
}

const tick = (name: string) => screen.getByRole<HTMLInputElement>('checkbox', { name })
const start = () => screen.getByRole<HTMLButtonElement>('button', { name: 'Start fusion' })
const slider = (name: string) => screen.getByRole<HTMLInputElement>('slider', { name: `Weight of ${name}` })
const typed = (name: string) => screen.getByLabelText<HTMLInputElement>(`Weight of ${name} as a number`)

async function axeFindsNothing() {
  const found = await axe.run(document.body, { rules: { 'color-contrast': { enabled: false }, region: { enabled: false } } })
  expect(found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([])
}

test('with one adapter per base the page says what is needed, and where to get it', async () => {
  await open({ 'GET /api/fusion/list-adapters': { body: { adapters: [adapterOf('law'), adapterOf('other', { base: 'llama' })] } } })
  expect(screen.getByRole('heading', { name: 'Two adapters of one base are needed' })).toBeTruthy()
  expect(screen.getByRole('link', { name: 'Train an adapter in Setup' }).getAttribute('href')).toBe('/setup')
  expect(tick('law').disabled).toBe(true)
  await axeFindsNothing()
})

test('only adapters of one base can be chosen, and what can’t be merged says why', async () => {
  await open()
  expect(tick('turned').disabled).toBe(true)
  expect(screen.getByText(/turned is a DoRA adapter/)).toBeTruthy()
  await userEvent.click(tick('law'))
  expect(tick('llama_law').disabled).toBe(true)
  expect(screen.getByText('different base')).toBeTruthy()
  expect(screen.getByText('Choose one more adapter.')).toBeTruthy()
  expect(start().disabled).toBe(true)
})

test('a link chooses adapters, what is checked is shown, and the request has what the form shows', async () => {
  const { calls, router } = await open({ 'POST /api/fusion/fuse': { body: { status: 'started', job_id: 'j1', output_name: 'both', message: '', warnings: [] } } }, '/fusion?adapters=law,medicine')
  expect(await screen.findByText('Ready')).toBeTruthy()
  expect(screen.getByText('fused_law_medicine')).toBeTruthy()
  expect(screen.getByLabelText<HTMLInputElement>('Output name').placeholder).toBe('fused_law_medicine')
  expect(screen.getByText(/^Empty: rank 12, the ranks added; exact/)).toBeTruthy()
  fireEvent.change(slider('law'), { target: { value: '700' } })
  await userEvent.type(screen.getByLabelText('Output name'), 'both')
  await userEvent.click(screen.getByRole('radio', { name: 'TIES' }))
  await userEvent.clear(screen.getByLabelText('Density'))
  await userEvent.type(screen.getByLabelText('Density'), '0.3')
  await userEvent.type(screen.getByLabelText(/^Output rank/), '6')
  await axeFindsNothing()
  await userEvent.click(start())
  await waitFor(() => expect(calls.find(({ path }) => path === '/api/fusion/fuse')?.body).toEqual({
    adapter_names: ['law', 'medicine'],
    method: 'ties',
    weights: [0.7, 0.3],
    output_name: 'both',
    output_rank: 6,
    density: 0.3,
    evaluation_dataset: null,
  }))
  expect(router.state.location.search).toBe('?adapters=law,medicine')
})

test('the sliders sum to 1, a typed number moves the others, and half-typed ones are left alone', async () => {
  await open({}, '/fusion?adapters=law,medicine,poems')
  expect([typed('law').value, typed('medicine').value, typed('poems').value]).toEqual(['0.334', '0.333', '0.333'])
  fireEvent.change(slider('law'), { target: { value: '500' } })
  expect([typed('law').value, typed('medicine').value, typed('poems').value]).toEqual(['0.500', '0.250', '0.250'])
  await userEvent.clear(typed('medicine'))
  expect(typed('medicine').value).toBe('')
  expect(typed('law').value).toBe('0.500')
  await userEvent.type(typed('medicine'), '0.7')
  await userEvent.tab()
  expect([typed('law').value, typed('medicine').value, typed('poems').value]).toEqual(['0.200', '0.700', '0.100'])
  await userEvent.clear(typed('law'))
  await userEvent.type(typed('law'), '7')
  expect(screen.getByText('From 0 to 1.')).toBeTruthy()
  await userEvent.click(screen.getByRole('button', { name: 'Make equal' }))
  expect(typed('poems').value).toBe('0.333')
})

test('SLERP has one slider, and takes two adapters', async () => {
  await open({}, '/fusion?adapters=law,medicine')
  await screen.findByText('Ready')
  await userEvent.click(screen.getByRole('radio', { name: 'SLERP' }))
  expect(screen.getAllByRole('slider')).toHaveLength(1)
  expect(screen.getByRole('slider', { name: 'From law to medicine' })).toBeTruthy()
  await userEvent.click(tick('poems'))
  expect(screen.getByText('SLERP takes two adapters, and 3 are chosen. Choose two, or another method.')).toBeTruthy()
  expect(start().disabled).toBe(true)
})

test('adapters that can’t be merged are refused before the start, with the reason', async () => {
  const refusal = { compatible: false, num_adapters: 2, error: 'law has 24 layers and medicine has 12.', hint: 'Choose others.', warnings: [] }
  await open({ 'POST /api/fusion/validate': { body: refusal } }, '/fusion?adapters=law,medicine')
  expect(await screen.findByText(refusal.error)).toBeTruthy()
  expect(screen.getByText('Can’t be merged')).toBeTruthy()
  expect(start().disabled).toBe(true)
})

test('a refused start stands on the page, at its field', async () => {
  const refusal = { error: 'AlreadyExists', detail: "There is already an adapter 'both'.", hint: 'Choose another output_name.' }
  await open({ 'POST /api/fusion/fuse': { status: 409, body: refusal } }, '/fusion?adapters=law,medicine')
  await screen.findByText('Ready')
  await userEvent.click(start())
  expect(await screen.findByText(refusal.detail)).toBeTruthy()
})

test('during a run the start waits and says why', async () => {
  const { store } = await open({}, '/fusion?adapters=law,medicine')
  await screen.findByText('Ready')
  act(() => void store.dispatch(framesReceived({ at: 0, frames: [new FrameMaker().snapshot()] })))
  expect(await screen.findByText(/^Training in progress\./)).toBeTruthy()
  expect(start().disabled).toBe(true)
})

test('a fusion at work is followed by its frames, can be stopped, and its end shows the result', async () => {
  let status: object = RUNNING
  const { store, calls } = await open({
    'GET /api/fusion/status': () => ({ body: status }),
    'POST /api/fusion/stop': { body: { message: 'The fusion was stopped; nothing was written.' } },
  })
  expect(screen.getByRole('heading', { name: 'Fusing law, medicine' })).toBeTruthy()
  const make = new FrameMaker()
  const job = { kind: 'fusion', job_id: 'j1', state: 'running', phase: 'scoring', progress: 0.5 } as const
  act(() => void store.dispatch(framesReceived({ at: 0, frames: [make.make('job_progress', job)] })))
  expect(screen.getByText('Measuring the loss on the held-out rows…')).toBeTruthy()
  expect(screen.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('50')
  await axeFindsNothing()
  await userEvent.click(screen.getByRole('button', { name: 'Stop' }))
  expect(calls.some(({ path }) => path === '/api/fusion/stop')).toBe(true)
  status = COMPLETED
  act(() => void store.dispatch(framesReceived({ at: 1, frames: [make.make('job_completed', { ...job, state: 'completed', progress: 1 })] })))
  expect(await screen.findByRole('heading', { name: 'both is ready' })).toBeTruthy()
})

test('the result has the proof of all sides, the best marked and the loss on own rows told', async () => {
  await open({ 'GET /api/fusion/status': { body: COMPLETED }, 'GET /api/fusion/list-adapters': { body: { adapters: [...ADAPTERS, adapterOf('both')] } } })
  const table = within(screen.getByRole('table', { name: 'Proof' }))
  const rows = table.getAllByRole('row').slice(1).map((row) => row.textContent)
  expect(rows.map((text) => /^(base|law|medicine|bothresult)/.exec(text ?? '')?.[1])).toEqual(['base', 'law', 'medicine', 'bothresult'])
  expect(rows[3]).toContain('best')
  expect(rows[3]).toContain('1.400 to 1.600')
  expect(rows[3]).toContain('30 of 48')
  expect(rows[0]).toContain('—')
  expect(screen.getByText(/^both is worse than medicine alone on the held-out rows of medicine/)).toBeTruthy()
  expect(screen.getByRole('link', { name: 'Compare' }).getAttribute('href')).toBe('/compare?adapter=both')
  const taken = within(screen.getByRole('table', { name: 'What was taken from each adapter' }))
  expect(taken.getByRole('row', { name: /^medicine/ }).textContent).toContain('iteration 1,2000.300411284')
  await axeFindsNothing()
})

test('fuse again opens the form with what was merged, and the last result stays below', async () => {
  await open({ 'GET /api/fusion/status': { body: COMPLETED } })
  expect(screen.getByText('both is not among the adapters any more.')).toBeTruthy()
  await userEvent.click(screen.getByRole('button', { name: 'Fuse again' }))
  expect(tick('law').checked).toBe(true)
  expect(typed('law').value).toBe('0.700')
  expect(screen.getByRole('heading', { name: 'Last fusion: both' })).toBeTruthy()
})

test('a link to the open page opens the form, and after the start the result comes first again', async () => {
  const { router } = await open({ 'GET /api/fusion/status': { body: COMPLETED } })
  expect(screen.queryByRole('button', { name: 'Start fusion' })).toBeNull()
  await act(() => router.navigate('/fusion?adapters=law,poems'))
  expect(tick('poems').checked).toBe(true)
  await userEvent.click(tick('poems'))
  await userEvent.click(tick('law'))
  expect(screen.getByRole('heading', { name: 'Last fusion: both' })).toBeTruthy()
  expect(screen.getByText('Choose two adapters of one base.')).toBeTruthy()
})

test('after a restart of the server the earlier result is asked for', async () => {
  await open({ 'GET /api/fusion/status': { body: { ...IDLE, has_result: true } }, 'GET /api/fusion/result': { body: RESULT } })
  expect(await screen.findByRole('heading', { name: 'both is ready' })).toBeTruthy()
})

test('a reduced rank tells its error, and without rows the reason and the way to a proof are told', async () => {
  const reduced = { ...RESULT, proof: null, unproven: 'law: There are no held-out rows.', fusion_info: { ...RESULT.fusion_info, output_rank: 4, relative_error: 0.123, worst_matrix: 'layers.0.q_proj', worst_error: 0.31 } }
  await open({ 'GET /api/fusion/status': { body: { ...COMPLETED, result: reduced } } })
  expect(screen.getByText(/relative error 12\.3 %; most in layers\.0\.q_proj: 31\.0 %\.$/)).toBeTruthy()
  expect(screen.getByText(/^law: There are no held-out rows\./)).toBeTruthy()
  await userEvent.click(screen.getByRole('button', { name: 'Fuse again with rows of your own' }))
  expect(screen.getByLabelText(/^Rows for the proof/)).toBeTruthy()
})

test('a failed fusion says why and what to do, with the form to try again; a stopped one is no error', async () => {
  const failed = { ...RUNNING, is_running: false, status: 'error', error: 'There is no memory left.', hint: 'Fuse fewer adapters.' }
  let status: object = failed
  const { unmount } = await open({ 'GET /api/fusion/status': () => ({ body: status }), 'POST /api/fusion/reset': () => {
    status = IDLE
    return { body: { message: 'Ready for the next fusion.' } }
  } })
  const alert = screen.getByRole('alert')
  expect(alert.textContent).toContain('The fusion failed: There is no memory left.')
  expect(alert.textContent).toContain('Fuse fewer adapters.')
  await userEvent.click(screen.getByRole('button', { name: 'Dismiss' }))
  await waitFor(() => expect(screen.queryByRole('alert')).toBeNull())
  unmount()
  await open({ 'GET /api/fusion/status': { body: { ...failed, status: 'stopped', error: null, message: 'The fusion was stopped; nothing was written.' } } })
  expect(screen.getByText('The fusion was stopped; nothing was written.')).toBeTruthy()
  expect(screen.queryByRole('alert')).toBeNull()
})

test('an adapter of a link that is not here is named', async () => {
  await open({}, '/fusion?adapters=law,gone')
  expect(screen.getByText('Adapter gone is no longer available.')).toBeTruthy()
  expect(tick('law').checked).toBe(true)
})
