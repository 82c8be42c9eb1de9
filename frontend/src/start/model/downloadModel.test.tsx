import { act, fireEvent, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import axe from 'axe-core'
import { expect, test } from 'vitest'
import type { DownloadInfo } from '@/api/generated'
import type { JobData } from '@/api/frames'
import { framesReceived } from '@/api/stream/streamEvents'
import { FrameMaker } from '@/test/fakeServer'
import { renderPage, serve, type Answers } from '@/test/render'
import { BROKEN, DEMO, PREVIEW, QWEN, TARGETS } from '@/test/formSamples'
import { SetupPage } from '@/start/page/SetupPage'

const INFO: DownloadInfo = {
  id: 'd1',
  repo_id: 'acme/tiny',
  revision: 'main',
  name: 'tiny',
  state: 'downloading',
  bytes_done: 0,
  bytes_total: 1_000_000_000,
}
const TINY = { ...QWEN, name: 'tiny', path: '/models/tiny' }

const SERVER: Answers = {
  'GET /models': { body: { models: [DEMO, QWEN, BROKEN] } },
  'GET /models/%2Fmodels%2Fdroid-demo/lora': { body: TARGETS },
  'GET /models/%2Fmodels%2Ftiny/lora': { body: TARGETS },
  'GET /models/downloads': { body: { downloads: [] } },
  'GET /system': { body: { recommended_working_set: 8_000_000_000 } },
  'GET /sessions': { body: { sessions: [], next_cursor: null } },
  'POST /training/preview': { body: PREVIEW },
}

const JOB: JobData = { kind: 'download', job_id: 'd1', state: 'downloading', phase: 'downloading', progress: 0.25 }
const frames = new FrameMaker()

async function openDialog() {
  await userEvent.click(await screen.findByRole('button', { name: 'Download…' }))
  return screen.findByRole('dialog', { name: 'Download from Hugging Face' })
}

test('a model is asked for by name, followed, and chosen when it is here', async () => {
  let asked = false
  let here = false
  const calls = serve({
    ...SERVER,
    'GET /models': () => ({ body: { models: here ? [DEMO, QWEN, BROKEN, TINY] : [DEMO, QWEN, BROKEN] } }),
    'GET /models/downloads': () => ({
      body: { downloads: asked ? [here ? { ...INFO, state: 'completed', path: TINY.path } : INFO] : [] },
    }),
    'POST /models/download': () => {
      asked = true
      return { body: INFO }
    },
  })
  const { store } = renderPage(<SetupPage />)
  const dialog = await openDialog()
  await userEvent.type(within(dialog).getByLabelText('Model'), 'https://huggingface.co/acme/tiny')
  await userEvent.click(within(dialog).getByRole('button', { name: 'Download' }))
  await within(dialog).findByText('acme/tiny')
  expect(calls.find((call) => call.path === '/models/download')?.body).toEqual({ repo_id: 'acme/tiny', revision: null })

  const tell = (type: 'job_progress' | 'job_completed', data: Partial<JobData>) =>
    act(() => store.dispatch(framesReceived({ frames: [frames.make(type, { ...JOB, ...data })], at: 1 })))
  tell('job_progress', { bytes_done: 250_000_000, bytes_total: 1_000_000_000, bytes_per_second: 25e6, eta_seconds: 30 })
  const bar = await within(dialog).findByRole('progressbar', { name: 'Download of acme/tiny' })
  expect(bar.getAttribute('aria-valuenow')).toBe('25')
  expect(within(dialog).getByText('250 MB of 1.0 GB · 25 MB/s · 30 s left')).toBeTruthy()

  await userEvent.click(within(dialog).getAllByRole('button', { name: 'Close' })[0] as HTMLElement)
  await screen.findByRole('progressbar', { name: 'Download of acme/tiny' })

  here = true
  tell('job_completed', { state: 'completed', progress: 1, path: TINY.path })
  await waitFor(() => expect(screen.getByRole<HTMLInputElement>('radio', { name: TINY.name }).checked).toBe(true), { timeout: 8000 })
}, 20_000)

test('a refusal is shown with what to do, and nothing is asked for a name that is none', async () => {
  const calls = serve({
    ...SERVER,
    'POST /models/download': {
      status: 403,
      body: { error: 'AccessRefused', detail: 'acme/tiny is gated.', hint: 'Accept its terms first.' },
    },
  })
  renderPage(<SetupPage />)
  const dialog = await openDialog()
  await userEvent.type(within(dialog).getByLabelText('Model'), 'not a name')
  await userEvent.click(within(dialog).getByRole('button', { name: 'Download' }))
  expect(within(dialog).getByText(/organisation\/name, as on/)).toBeTruthy()
  expect(calls.some((call) => call.path === '/models/download')).toBe(false)

  await userEvent.clear(within(dialog).getByLabelText('Model'))
  await userEvent.type(within(dialog).getByLabelText('Model'), 'acme/tiny')
  await userEvent.click(within(dialog).getByRole('button', { name: 'Download' }))
  const alert = await within(dialog).findByRole('alert')
  expect(alert.textContent).toContain('acme/tiny is gated.')
  expect(alert.textContent).toContain('Accept its terms first.')
}, 20_000)

test('one that was interrupted stands on the page, goes on, or is discarded', async () => {
  const calls = serve({
    ...SERVER,
    'GET /models/downloads': { body: { downloads: [{ ...INFO, state: 'interrupted', bytes_done: 250_000_000 }] } },
    'POST /models/download': { body: { ...INFO, bytes_done: 250_000_000 } },
    'DELETE /models/downloads/d1': { body: { ...INFO, state: 'removed' } },
  })
  const { container } = renderPage(<SetupPage />)
  const list = await screen.findByRole('list', { name: 'Downloads' })
  expect(within(list).getByText('interrupted')).toBeTruthy()
  expect((await axe.run(container)).violations.map(({ id }) => id)).toEqual([])
  await userEvent.click(within(list).getByRole('button', { name: 'Resume' }))
  await waitFor(() => expect(calls.some((call) => call.path === '/models/download')).toBe(true))
  await userEvent.click(within(list).getByRole('button', { name: 'Discard' }))
  await waitFor(() => expect(calls.some((call) => call.method === 'DELETE')).toBe(true))
}, 20_000)

test('a partial download that can’t be read says why, and can only be removed', async () => {
  let gone = false
  const damaged = { ...INFO, repo_id: '', name: 'd1', state: 'damaged', problem: 'request.json is empty.' }
  serve({
    ...SERVER,
    'GET /models/downloads': () => ({ body: { downloads: gone ? [] : [damaged] } }),
    'DELETE /models/downloads/d1': () => {
      gone = true
      return { body: { ...damaged, state: 'removed' } }
    },
  })
  renderPage(<SetupPage />)
  const list = await screen.findByRole('list', { name: 'Downloads' })
  expect(within(list).getByText('request.json is empty.')).toBeTruthy()
  expect(within(list).queryByRole('button', { name: 'Resume' })).toBeNull()
  await userEvent.click(within(list).getByRole('button', { name: 'Discard' }))
  await waitFor(() => expect(screen.queryByRole('list', { name: 'Downloads' })).toBeNull())
}, 20_000)

test('the list says how large each model is, what can’t fit, and why one can’t be used', async () => {
  const huge = { ...QWEN, name: 'huge', path: '/models/huge', size_bytes: 62_000_000_000 }
  const snug = { ...QWEN, name: 'snug', path: '/models/snug', size_bytes: 7_000_000_000 }
  serve({ ...SERVER, 'GET /models': { body: { models: [DEMO, huge, snug, BROKEN] } } })
  renderPage(<SetupPage />)
  const row = async (name: string) => (await screen.findByRole<HTMLInputElement>('radio', { name })).closest('li')?.textContent
  await waitFor(async () => expect(await row('droid-demo')).toBe('droid-demoqwen2 · 4 layers · 2.7M · float32 · 11 MBOK'))
  expect(await row('huge')).toContain('Needs over 62.0 GB')
  expect(await row('snug')).toContain('Tight')
  expect(await row('broken')).toContain('Not usable')
  expect(screen.getByRole<HTMLInputElement>('radio', { name: 'broken' }).disabled).toBe(true)
  await userEvent.click(screen.getByText('huge'))
  expect(screen.getByRole<HTMLInputElement>('radio', { name: 'huge' }).checked).toBe(true)
  await userEvent.click(screen.getByText('Why 1 model can’t be used'))
  expect(screen.getByText('config.json is missing.')).toBeTruthy()
}, 20_000)

test('a folder that is in no list has its facts and its layers like any other', async () => {
  const far = { ...QWEN, name: 'far', path: '/elsewhere/far' }
  const calls = serve({
    ...SERVER,
    'GET /models/describe': { body: far },
    'GET /models/%2Felsewhere%2Ffar/lora': { body: TARGETS },
  })
  renderPage(<SetupPage />)
  await userEvent.click(await screen.findByRole('button', { name: 'Open a folder…' }))
  fireEvent.change(screen.getByLabelText('Base model'), { target: { value: far.path } })
  await screen.findByText('494.0M')
  await waitFor(() => expect(calls.some((call) => call.path === '/models/%2Felsewhere%2Ffar/lora')).toBe(true))
  await screen.findByText('Model depth: 24')
}, 20_000)

test('a folder that is no model says why at its field', async () => {
  serve({ ...SERVER, 'GET /models/describe': { status: 404, body: { error: 'NotFound', detail: 'There is no model at /nowhere.' } } })
  renderPage(<SetupPage />)
  await userEvent.click(await screen.findByRole('button', { name: 'Open a folder…' }))
  fireEvent.change(screen.getByLabelText('Base model'), { target: { value: '/nowhere' } })
  await screen.findByText('There is no model at /nowhere.')
}, 20_000)
