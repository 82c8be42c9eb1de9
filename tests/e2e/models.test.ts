// The Models page over the real engine: a model is made and removed, an adapter renamed, tagged and removed.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { completed } from './pages.ts'
import { setStage } from './stage.ts'

const { serve, open } = setStage()
const DATA = resolve(import.meta.dirname, '..', '..', 'test_data')
const RUN = {
  model_path: join(DATA, 'models/droid-demo'),
  train_data_path: join(DATA, 'demo/chat/train.jsonl'),
  val_data_path: join(DATA, 'demo/chat/valid.jsonl'),
  adapter_name: 'captain',
  iterations: 4,
  batch_size: 2,
  max_seq_length: 64,
  steps_per_eval: 4,
}

test('a model is quantised and deleted, and an adapter is renamed, tagged and deleted', async () => {
  const server = await serve()
  const started = await server.post('/training/start', RUN)
  expect(started.status).toBe(200)
  const { page, errors } = await open(server)
  await page.getByRole('link', { name: /^Training/ }).click()
  await completed(page)
  await page.getByRole('link', { name: /^Models/ }).click()

  // A new model, with its size said before and its origin after.
  const models = page.getByRole('table', { name: 'Models' })
  await models.getByRole('button', { name: 'Convert or quantise droid-demo…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText(/11 MB → about 1\.\d MB/).waitFor()
  await dialog.getByLabel('Name of the new model').fill('demo-small')
  await dialog.getByRole('button', { name: 'Convert' }).click()
  await page.getByText('demo-small is here').waitFor()
  const made = models.getByRole('row', { name: /demo-small/ })
  await made.getByText('Converted from droid-demo').waitFor()
  expect(await made.textContent()).toContain('4-bit')
  const folder = join(server.dataDir, 'models', 'demo-small')
  expect(existsSync(join(folder, 'model.safetensors'))).toBe(true)

  await made.getByRole('button', { name: 'Delete demo-small…' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await made.waitFor({ state: 'detached' })
  expect(existsSync(folder)).toBe(false)
  expect(await models.getByRole('button', { name: /^droid-demo is not in the app/ }).isDisabled()).toBe(true)

  // The adapter that the run left.
  const group = page.getByRole('region', { name: 'droid-demo' })
  await group.getByText(/train\.jsonl, \d+ rows/).waitFor()
  await page.getByText(/^1 adapter, /).first().waitFor()
  await group.getByRole('button', { name: 'Rename or tag captain…' }).click()
  await page.getByLabel('Name', { exact: true }).fill('first-mate')
  await page.getByLabel('Tags').fill('sea, tales')
  await page.getByRole('button', { name: 'Save' }).click()
  await group.getByText('first-mate').waitFor()
  await page.getByRole('radio', { name: 'By task' }).click()
  const sea = page.getByRole('region', { name: 'sea' })
  await sea.getByText('first-mate').waitFor()
  expect(existsSync(join(server.dataDir, 'adapters', 'first-mate'))).toBe(true)
  expect(await sea.getByRole('link', { name: 'Export…' }).getAttribute('href')).toBe('#/fusion?export=first-mate')

  await sea.getByRole('button', { name: 'Delete first-mate…' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('heading', { name: 'No adapter yet' }).waitFor()
  expect(existsSync(join(server.dataDir, 'adapters', 'first-mate'))).toBe(false)
  expect(errors).toEqual([])
})
