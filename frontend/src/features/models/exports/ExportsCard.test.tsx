import axe from 'axe-core'
import { act, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test, vi } from 'vitest'

import type { ExportInfo, ExportList, UploadStatus } from '@/api/generated'
import { framesReceived } from '@/api/stream/streamEvents'
import { FrameMaker } from '@/test/fakeServer'
import { renderRoute, type Answers } from '@/test/renderRoute'
import { ExportsCard } from './ExportsCard'

vi.setConfig({ testTimeout: 30_000 })

const LAW: ExportInfo = {
  name: 'law-merged', path: '/exports/law-merged', format: 'merged', size_bytes: 11_000_000, files: [{ name: 'config.json', bytes: 2 }],
  created: null, adapter: 'law', base: 'demo', loss: 1.234, adapter_loss: 1.2, worse: true, uploaded: null, uploadable: true, reason: null,
}
const listOf = (...exports: readonly ExportInfo[]): ExportList => ({ exports: [...exports], damaged: [], folder: '/exports', hub: 'https://huggingface.co' })
const IDLE: UploadStatus = { state: null }
const RUNNING: UploadStatus = { state: 'running', phase: 'uploading', progress: 0.4, job_id: 'u1', export: 'law-merged', repo_id: 'ada/law', private: true }

const show = (answers: Answers = {}) =>
  renderRoute(<ExportsCard />, {
    answers: { 'GET /api/exports': { body: listOf(LAW) }, 'GET /api/exports/upload': { body: IDLE }, ...answers },
    path: '/models',
    route: '/models',
  })

test('an upload is private unless it is switched off, and says what is sent', async () => {
  const { calls } = show({ 'POST /api/exports/law-merged/upload': { body: RUNNING } })
  expect((await screen.findByRole('listitem')).textContent).toContain('from law on demo · loss 1.234, adapter 1.2')
  await userEvent.click(screen.getByRole('button', { name: 'Upload law-merged…' }))
  const dialog = within(await screen.findByRole('dialog'))
  expect(dialog.getByText('1 file, 11 MB, to huggingface.co')).toBeTruthy()
  expect(dialog.getByRole<HTMLInputElement>('switch', { name: 'Private' }).checked).toBe(true)
  expect(dialog.getByRole('button', { name: 'Upload' })).toHaveProperty('disabled', true)
  await userEvent.type(dialog.getByLabelText('Repository'), 'ada/law')
  await userEvent.click(dialog.getByRole('button', { name: 'Upload' }))
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
  expect(calls.find(({ request }) => request.startsWith('POST'))?.body).toEqual({ repo_id: 'ada/law', private: true })
})

test('a refusal stands in the dialog', async () => {
  show({ 'POST /api/exports/law-merged/upload': { status: 422, body: { error: 'Invalid', detail: '“a/b--c” is no name of a repository.', hint: 'Write owner/name.' } } })
  await userEvent.click(await screen.findByRole('button', { name: 'Upload law-merged…' }))
  const dialog = within(await screen.findByRole('dialog'))
  await userEvent.type(dialog.getByLabelText('Repository'), 'a/b--c')
  await userEvent.click(dialog.getByRole('button', { name: 'Upload' }))
  expect(await dialog.findByText('“a/b--c” is no name of a repository.')).toBeTruthy()
  expect(dialog.getByText('Write owner/name.')).toBeTruthy()
})

test('without a token the button is off and the reason is there', async () => {
  const reason = 'There is no token for the hub. Put it into HF_TOKEN.'
  show({ 'GET /api/exports': { body: listOf({ ...LAW, uploadable: false, reason }) } })
  expect(await screen.findByText(reason)).toBeTruthy()
  expect(screen.getByRole('button', { name: /^law-merged can’t be uploaded: There is no token/ })).toHaveProperty('disabled', true)
})

test('an upload is followed to its end, and can be stopped meanwhile', async () => {
  const server = { 'GET /api/exports/upload': { body: RUNNING as object }, 'POST /api/exports/upload/stop': { body: RUNNING as object } }
  const { store, calls } = show(server)
  expect((await screen.findAllByText('Uploading…')).length).toBeGreaterThan(0)
  expect(screen.getByRole('button', { name: 'law-merged can’t be uploaded: Another upload is running' })).toHaveProperty('disabled', true)
  await userEvent.click(screen.getByRole('button', { name: 'Stop' }))
  await waitFor(() => expect(calls.some(({ request }) => request === 'POST /api/exports/upload/stop')).toBe(true))
  const message = 'law-merged is at https://huggingface.co/ada/law (11 MB, private).'
  server['GET /api/exports/upload'].body = { ...RUNNING, state: 'completed', message }
  const frame = new FrameMaker().make('job_completed', { kind: 'upload', job_id: 'u1', state: 'completed', phase: 'done', progress: 1, message } as never)
  act(() => void store.dispatch(framesReceived({ frames: [frame], at: 1 })))
  expect(await screen.findByText('law-merged is uploaded')).toBeTruthy()
  expect(screen.getByText(message)).toBeTruthy()
})

test('the card and its dialog have no accessibility problem that axe can find', async () => {
  show()
  await userEvent.click(await screen.findByRole('button', { name: 'Upload law-merged…' }))
  await screen.findByRole('dialog')
  const found = await axe.run(document.body, { rules: { 'color-contrast': { enabled: false }, region: { enabled: false } } })
  expect(found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([])
})
