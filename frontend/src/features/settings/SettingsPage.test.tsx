import axe from 'axe-core'
import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { beforeEach, expect, test, vi } from 'vitest'
import type { SettingsView } from '@/api/generated'
import { renderPage, serve, type Answers } from '@/test/render'
import { SettingsPage } from './SettingsPage'

vi.setConfig({ testTimeout: 60_000 })
beforeEach(() => localStorage.clear())

const SETTINGS: SettingsView = {
  version: '0.1.0',
  folders: { data: '/home/you/droid', sessions: '/home/you/droid/sessions', adapters: '/home/you/droid/adapters', exports: '/home/you/droid/exports', logs: '/home/you/droid/logs' },
  models_dirs: [
    { path: '/home/you/droid/models', origin: 'own', exists: true, models: 2, removable: false },
    { path: '/home/you/.lmstudio/models', origin: 'found', exists: true, models: 1, removable: true },
    { path: '/media/models', origin: 'added', exists: false, models: 0, removable: true },
  ],
  models_dirs_fixed_by: null,
  api: { url: 'http://127.0.0.1:8000', token: 'none', local_only: true },
  engines: { python: '/venv/bin/python', python_version: '3.11.7', versions: { mlx: '0.32.4', 'mlx-lm': '0.32.2', 'lm-eval': null }, repair_command: './startmlxnew --repair', repair_note: 'It removes the environment.' },
  judge: { url: null, model: null, key_saved: false, fixed_by: null },
  hub: { endpoint: 'https://hub.example', token_saved: true, fixed_by: null },
  messages: { webhook_host: null, ntfy_host: null },
  keep_awake: true,
  keeping_awake: { by: 'caffeinate', active: false },
  notifications: true,
  theme: null,
  run_defaults: { lora_rank: 8 },
  connections: [{ name: 'Model hub', host: 'https://hub.example', when: 'You download a model.', sends: 'Its name.' }],
}

const show = (answers: Answers = {}, settings: SettingsView = SETTINGS) => {
  const calls = serve({ 'GET /settings': { body: settings }, 'PATCH /settings': { body: settings }, ...answers })
  return { calls, ...renderPage(<SettingsPage />, { path: '/settings' }) }
}
const patches = (calls: ReturnType<typeof serve>) => calls.filter(({ method }) => method === 'PATCH').map(({ body }) => body)
const card = async (name: string) => within(await screen.findByRole('region', { name }))

test('each switch is one change, and the theme is seen at once', async () => {
  const { calls } = show()
  const general = await card('General')
  await userEvent.click(general.getByRole('radio', { name: 'Dark' }))
  await userEvent.click(general.getByRole('switch', { name: /awake/ }))
  await userEvent.click(general.getByRole('switch', { name: /Notify/ }))
  expect(document.documentElement.dataset['theme']).toBe('dark')
  await waitFor(() => expect(patches(calls)).toEqual([{ theme: 'dark' }, { keep_awake: false }, { notifications: false }]))
})

test('where nothing can keep the machine awake, the switch says so', async () => {
  show({}, { ...SETTINGS, keeping_awake: { by: null, active: false } })
  expect(await screen.findByText(/turn its sleep off yourself/)).toBeTruthy()
})

test('a folder is added to those that are removable, and one is taken away', async () => {
  const { calls } = show()
  const folders = await card('Folders')
  expect(folders.getByText('Not there')).toBeTruthy()
  expect(folders.queryByRole('button', { name: 'Stop searching /home/you/droid/models' })).toBeNull()
  await userEvent.type(folders.getByLabelText('Add a folder'), '/data/bases')
  await userEvent.click(folders.getByRole('button', { name: 'Add' }))
  await userEvent.click(folders.getByRole('button', { name: 'Stop searching /media/models' }))
  await waitFor(() =>
    expect(patches(calls)).toEqual([
      { models_dirs: ['/home/you/.lmstudio/models', '/media/models', '/data/bases'] },
      { models_dirs: ['/home/you/.lmstudio/models'] },
    ]),
  )
})

test('a folder that is refused stays in its field, with the reason', async () => {
  show({ 'PATCH /settings': { status: 422, body: { error: 'Invalid', detail: 'The folder /nowhere can’t be searched: there is no such folder.', hint: 'Choose another.' } } })
  const folders = await card('Folders')
  await userEvent.type(folders.getByLabelText('Add a folder'), '/nowhere')
  await userEvent.click(folders.getByRole('button', { name: 'Add' }))
  expect(await folders.findByText(/there is no such folder/)).toBeTruthy()
  expect(folders.getByLabelText<HTMLInputElement>('Add a folder').value).toBe('/nowhere')
})

test('defaults for new runs have the limits of the form, and empty ones are left to it', async () => {
  const { calls } = show()
  const runs = await card('New runs')
  const rank = runs.getByLabelText<HTMLInputElement>('Rank')
  expect(rank.value).toBe('8')
  await userEvent.clear(rank)
  await userEvent.type(rank, '9999')
  expect(runs.getByText(/A whole number from 1 to 512/)).toBeTruthy()
  expect(runs.getByRole('button', { name: 'Save defaults' })).toHaveProperty('disabled', true)
  await userEvent.clear(rank)
  await userEvent.type(runs.getByLabelText('Batch size'), '4')
  await userEvent.selectOptions(runs.getByLabelText('Early stopping'), 'Off')
  await userEvent.click(runs.getByRole('button', { name: 'Save defaults' }))
  await waitFor(() => expect(patches(calls)).toEqual([{ run_defaults: { batch_size: 4, early_stop: false } }]))
})

test('secrets are sent once and not shown; an untouched one is not sent', async () => {
  const { calls } = show()
  const services = await card('Hub and judge')
  const token = services.getByLabelText<HTMLInputElement>('Hugging Face token')
  expect([token.type, token.value]).toEqual(['password', ''])
  await userEvent.type(services.getByLabelText('Judge’s address'), 'https://judge.example/v1')
  await userEvent.type(services.getByLabelText('Judge’s key'), 'sk-1')
  await userEvent.click(services.getByRole('button', { name: 'Save' }))
  await waitFor(() => expect(patches(calls)).toEqual([{ judge_url: 'https://judge.example/v1', judge_model: null, judge_key: 'sk-1' }]))
  expect(services.getByLabelText<HTMLInputElement>('Judge’s key').value).toBe('')
  await userEvent.click(services.getByRole('button', { name: 'Remove' }))
  await waitFor(() => expect(patches(calls).at(-1)).toEqual({ hub_token: null }))
})

test('a token is shown when it is made, and a second one is asked about first', async () => {
  let saved = false
  const { calls } = show({
    'GET /settings': () => ({ body: { ...SETTINGS, api: { ...SETTINGS.api, token: saved ? 'saved' : 'none' } } }),
    'POST /settings/token': () => {
      saved = true
      return { body: { token: 'a-long-token' } }
    },
  })
  const api = await card('API access')
  await userEvent.click(api.getByRole('button', { name: 'Require a token' }))
  expect(await api.findByText('a-long-token')).toBeTruthy()
  await userEvent.click(await api.findByRole('button', { name: 'Make a new token…' }))
  const dialog = within(await screen.findByRole('dialog'))
  expect(dialog.getByText(/are refused from then on/)).toBeTruthy()
  await userEvent.click(dialog.getByRole('button', { name: 'Cancel' }))
  expect(calls.filter(({ path }) => path === '/settings/token').length).toBe(1)
})

test('a check tells what computes, or what to do', async () => {
  show({ 'POST /settings/engines/check': { body: { works: false, device: null, problem: 'It can’t compute.', remedy: 'Run ./startmlxnew once.' } } })
  const engines = await card('Engines')
  expect(engines.queryByText('lm-eval')).toBeNull()
  expect(engines.getByText('./startmlxnew --repair')).toBeTruthy()
  await userEvent.click(engines.getByRole('button', { name: 'Check' }))
  expect(await engines.findByText('Run ./startmlxnew once.')).toBeTruthy()
})

test('a bundle that can’t be made says why', async () => {
  show({ 'GET /diagnostics': { status: 507, body: { error: 'NoDiskSpace', detail: 'The disk is full.', hint: 'Free some space.' } } })
  await userEvent.click(await screen.findByRole('button', { name: 'Save diagnostics' }))
  expect(await screen.findByText('The disk is full.')).toBeTruthy()
})

test('the guide names what users meet, its cause and the remedy', async () => {
  show()
  await userEvent.click(await screen.findByRole('button', { name: 'Open the guide' }))
  const guide = within(await screen.findByRole('dialog', { name: 'Troubleshooting' }))
  expect(await guide.findByText('Port 8000 is already in use', {}, { timeout: 15_000 })).toBeTruthy()
  expect(guide.getByText(/What each page is for/)).toBeTruthy()
})

test('settings that can’t be read are asked for again', async () => {
  let there = false
  show({ 'GET /settings': () => (there ? { body: SETTINGS } : { status: 500, body: { error: 'InternalError', detail: 'A bug, number 12.' } }) })
  expect(await screen.findByText('A bug, number 12.')).toBeTruthy()
  there = true
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }))
  expect(await screen.findByRole('region', { name: 'Privacy' })).toBeTruthy()
})

test('the page has no fault that axe finds', async () => {
  const { container } = show()
  await card('Privacy')
  const { violations } = await axe.run(container, { rules: { 'color-contrast': { enabled: false } } })
  expect(violations.map(({ id }) => id)).toEqual([])
})

test('a webhook is kept without being shown, and a test says whether it arrived', async () => {
  const result = { channel: 'webhook', host: 'hooks.example', sent: false, problem: 'it answered 404 (Not Found)' }
  const { calls } = show({ 'POST /settings/messages/test': { body: [result] } }, { ...SETTINGS, messages: { webhook_host: 'hooks.example', ntfy_host: null } })
  const messages = await card('Messages')
  expect(messages.getByText('A JSON document is sent to hooks.example.')).toBeTruthy()
  await userEvent.type(messages.getByLabelText('ntfy topic'), 'https://ntfy.sh/mine')
  expect(messages.getByRole('button', { name: 'Send a test' })).toHaveProperty('disabled', true)
  await userEvent.click(messages.getByRole('button', { name: 'Save' }))
  await waitFor(() => expect(patches(calls)).toEqual([{ ntfy_url: 'https://ntfy.sh/mine' }]))
  await userEvent.click(messages.getByRole('button', { name: 'Send a test' }))
  expect(await messages.findByText('The webhook at hooks.example did not take the test: it answered 404 (Not Found).')).toBeTruthy()
})
