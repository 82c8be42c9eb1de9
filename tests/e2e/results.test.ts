// Results in a real browser: two real runs are found, named, compared and put back after a deletion.
import { readFileSync } from 'node:fs'
import { AxeBuilder } from '@axe-core/playwright'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { launchBrowser, openPage, type Watched } from './browser.ts'
import { startServer, type Server } from './server.ts'
import type { Browser, Page } from 'playwright-core'

let browser: Browser
let server: Server
let desk: Watched
const ids: string[] = []

type Record = { readonly metrics: { readonly train_loss: number } }
type Models = { readonly models: readonly { readonly name: string; readonly path: string }[] }

/** A short run of the demo model; answers once it has ended. */
async function run(name: string, preset: 'full' | 'attention'): Promise<string> {
  const { models } = (await server.get('/models')) as Models
  const model = models.find((one) => one.name === 'droid-demo')
  const answer = await server.post('/training/start', {
    model_path: model?.path,
    train_data_path: 'test_data/demo/chat/train.jsonl',
    val_data_path: 'test_data/demo/chat/valid.jsonl',
    adapter_name: name,
    iterations: 6,
    steps_per_report: 2,
    steps_per_eval: 3,
    val_batches: 1,
    max_seq_length: 256,
    lora_keys: preset,
  })
  const { session_id: id } = (await answer.json()) as { readonly session_id: string }
  const state = async () => ((await server.get('/training/status')) as { readonly state: string }).state
  await vi.waitFor(async () => expect(await state()).toBe('completed'), { timeout: 120_000, interval: 300 })
  return id
}

beforeAll(async () => {
  browser = await launchBrowser()
  server = await startServer()
  ids.push(await run('attention_run', 'attention'), await run('full_run', 'full'))
  desk = await openPage(browser, server.url)
}, 240_000)

afterAll(async () => {
  await server.stop()
  await browser.close()
})

const results = (page: Page) => page.getByRole('link', { name: /^Results/ }).first().click()

test('full-layer against attention-only is two clicks, with the numbers of the records', async () => {
  const { page, errors } = desk
  await results(page)
  await page.getByRole('link', { name: 'Full-layer against attention-only' }).click()
  await page.getByRole('heading', { name: 'Compare runs' }).waitFor()
  const table = page.getByRole('table', { name: 'Results of the runs' })
  const row = table.getByRole('row', { name: /^Final train loss/ })
  await row.waitFor()
  const shown = await row.getByRole('cell').allTextContents()
  const records = await Promise.all([...ids].reverse().map((id) => server.get(`/sessions/${id}`)))
  expect(shown).toEqual(records.map((record) => (record as Record).metrics.train_loss.toFixed(3)))
  await page.getByText(/validated on the same \d+ held-out rows/).waitFor()
  await page.getByRole('table', { name: 'Settings that differ' }).getByRole('rowheader', { name: 'lora_keys' }).waitFor()
  await axeFindsNothing(page, 'Compare runs')

  await page.getByText('Time', { exact: true }).click()
  await expect.poll(() => page.url()).toContain('x=seconds')
  const saved = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Markdown' }).click()
  expect(readFileSync(await (await saved).path(), 'utf8')).toContain('| Final train loss |')
  expect(errors).toEqual([])
})

test('a run is named, found by its note, deleted and put back', async () => {
  const { page, errors } = desk
  await page.goto(`${server.url}/#/results/${ids[0]}`)
  await page.getByLabel('Name', { exact: true }).fill('The small one')
  await page.getByRole('textbox', { name: 'Notes' }).fill('For the pirates')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByRole('heading', { name: 'The small one' }).waitFor()

  await results(page)
  await page.getByRole('searchbox').fill('pirates')
  await page.getByText('1 of 2 sessions').waitFor()
  await page.getByRole('button', { name: 'Delete The small one' }).click()
  await page.getByRole('button', { name: 'Delete the record' }).click()
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByRole('link', { name: 'The small one' }).first().waitFor()
  await axeFindsNothing(page, 'Results')
  expect(errors).toEqual([])
})

async function axeFindsNothing(page: Page, what: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  const found = violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.html).join(' ')}`)
  expect(found, what).toEqual([])
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  expect(wide, `${what} is wider than the screen`).toBeLessThanOrEqual(0)
}
