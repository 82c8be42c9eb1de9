// Fusion, pressed in a real browser: two trained adapters become one, and all four are measured.
import { AxeBuilder } from '@axe-core/playwright'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchBrowser, openPage, type Size, type Watched } from './browser.ts'
import { startServer, type Server } from './server.ts'

type Model = { readonly name: string; readonly path: string; readonly defaults: Readonly<Record<string, unknown>> }

let browser: Browser
let server: Server
let desk: Watched

beforeAll(async () => {
  ;[browser, server] = await Promise.all([launchBrowser(), startServer()])
})

afterAll(async () => {
  await browser.close()
  await server.stop()
})

const at = (path: string) => `${server.url}/#${path}`
const startButton = (page: Page) => page.getByRole('button', { name: 'Start fusion' })

/** By axe, nothing is wider than the screen, and only the page's own part scrolls. */
async function looksRight(page: Page, what: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.html).join(' ')}`), what).toEqual([])
  const beyond = await page.evaluate(() => {
    const { scrollWidth, scrollHeight } = document.documentElement
    return [scrollWidth - innerWidth, scrollHeight - innerHeight]
  })
  expect(Math.max(...beyond), `${what} is larger than the screen`).toBeLessThanOrEqual(0)
}

/** Each proof scores and answers every one of them, for several models: a few show as much as all. */
function heldOutRows(): string {
  const all = resolve(import.meta.dirname, '../../test_data/demo/chat/valid.jsonl')
  const path = join(server.dataDir, 'held out.jsonl')
  writeFileSync(path, readFileSync(all, 'utf8').split('\n').slice(0, 8).join('\n'))
  return path
}

/** A short run of the demo model; it has ended when this returns. */
async function train(page: Page, changes: Readonly<Record<string, unknown>>): Promise<void> {
  const { models } = (await server.get('/models')) as { readonly models: readonly Model[] }
  const demo = models.find(({ name }) => name === 'droid-demo')
  const run = {
    ...{ model_path: demo?.path, ...demo?.defaults, val_data_path: heldOutRows() },
    ...{ iterations: 8, steps_per_eval: 8, ...changes },
  }
  // The run before may have said that it is completed, and its process still be ending.
  const start = async () => (await server.post('/training/start', run)).status
  await expect.poll(start, { timeout: 60_000, interval: 250 }).toBe(200)
  await page.waitForFunction(async (name) => {
    const { adapters } = (await (await fetch('/api/fusion/list-adapters')).json()) as { readonly adapters: readonly { readonly name: string }[] }
    const { state } = (await (await fetch('/training/status')).json()) as { readonly state: string }
    return state === 'completed' && adapters.some((each) => each.name === name)
  }, changes['adapter_name'])
}

test('before two adapters are trained the page says what is needed', async () => {
  desk = await openPage(browser, at('/fusion'))
  const { page, errors } = desk
  await page.getByRole('heading', { name: 'Two adapters of one base are needed' }).waitFor()
  await looksRight(page, 'the empty page')
  expect(errors).toEqual([])
})

test('two adapters are fused by a link, a slider and a press, and four losses are shown', async () => {
  const { page, errors } = desk
  await train(page, { adapter_name: 'wide', lora_rank: 8, lora_alpha: 16 })
  await train(page, { adapter_name: 'flat', lora_rank: 4, lora_alpha: 4, seed: 7 })
  await page.goto(at('/fusion?adapters=wide,flat'))
  await page.getByText('Ready', { exact: true }).waitFor()
  await page.getByText(/^Empty: rank 12, the ranks added; exact/).waitFor()
  await page.getByLabel('Weight of wide as a number').fill('0.7')
  expect(await page.getByLabel('Weight of flat as a number').inputValue()).toBe('0.300')
  await looksRight(page, 'the form')
  await page.getByLabel('Output name').fill('both')
  await startButton(page).click()
  await page.getByRole('progressbar', { name: 'Progress of the fusion' }).waitFor()

  await page.getByRole('heading', { name: 'both is ready' }).waitFor()
  const rows = await page.getByRole('table', { name: 'Proof' }).getByRole('row').allTextContents()
  const losses = rows.slice(1).map((row) => /^(base|wide|flat|both).*?(\d\.\d{3})/.exec(row)?.slice(1) ?? row)
  expect(losses.map(([name]) => name)).toEqual(['base', 'wide', 'flat', 'both'])
  expect(new Set(losses.map(([, loss]) => loss)).size).toBe(4)
  await looksRight(page, 'the result')
  expect(errors).toEqual([])
})

test('the result is there after a reload, and leads to Compare', async () => {
  const { page, errors } = desk
  await page.reload()
  await page.getByRole('heading', { name: 'both is ready' }).waitFor()
  await page.getByRole('link', { name: 'Compare', exact: true }).last().click()
  await page.getByRole('region', { name: 'both', exact: true }).waitFor()
  expect(errors).toEqual([])
})

/** Beside the merged form: what the service tests prove of each is not repeated, only that the page can. */
const OTHER_FORMS = [
  ['Merged model, 4 bits', 'both-merged_q4/model.safetensors'],
  ['PEFT adapter', 'both-peft/adapter_model.safetensors'],
  ['GGUF, 8 bits', 'both-gguf_q8/both-gguf_q8-Q8_0.gguf'],
] as const

test('the result is exported from its page in four forms, asked, and scored beside the adapter', async () => {
  const { page, errors } = desk
  await page.goto(at('/fusion?export=both'))
  const dialog = page.getByRole('dialog', { name: 'Export both' })
  await dialog.getByRole('radio', { name: 'Merged model', exact: true }).check()
  await dialog.getByText(/^up to /).first().waitFor()
  await looksRight(page, 'the export dialog')
  await dialog.getByRole('button', { name: 'Export', exact: true }).click()
  await dialog.getByText(/both-merged is ready/).waitFor()
  await dialog.getByRole('table', { name: 'Proof' }).getByText('both-merged').waitFor()
  expect(await dialog.getByText('The export is worse than the adapter').count()).toBe(0)
  await looksRight(page, 'the finished export')
  for (const [format, file] of OTHER_FORMS) {
    await dialog.getByRole('button', { name: 'Export another format' }).click()
    await dialog.getByRole('radio', { name: format, exact: true }).check()
    await dialog.getByRole('button', { name: 'Export', exact: true }).click()
    await dialog.getByText(`${file.split('/')[0]} is ready`).waitFor()
    expect(existsSync(join(server.dataDir, 'exports', file)), file).toBe(true)
  }
  await looksRight(page, 'the finished GGUF export')
  await dialog.getByRole('button', { name: 'Done' }).click()
  await dialog.waitFor({ state: 'detached' })
  expect(errors).toEqual([])
}, 300_000)

test('a fusion is stopped, which is said, and the form has what was chosen', async () => {
  const { page, errors } = desk
  await page.goto(at('/fusion?adapters=wide,both'))
  await page.getByText('Ready', { exact: true }).waitFor()
  await startButton(page).click()
  await page.getByRole('button', { name: 'Stop', exact: true }).click()
  await page.getByText('The fusion was stopped; nothing was written.').waitFor()
  expect(await page.getByRole('checkbox', { name: 'wide' }).isChecked()).toBe(true)
  await page.getByRole('button', { name: 'Dismiss' }).click()
  expect(errors).toEqual([])
})

const LOOKS: readonly (readonly [Size, 'light' | 'dark'])[] = [
  ['normal', 'dark'],
  ['narrow', 'light'],
  ['narrow', 'dark'],
]

test.each(LOOKS)('form and result look right (%s, %s)', async (size, scheme) => {
  const { page, errors } = await openPage(browser, at('/fusion'), { size, scheme })
  await page.getByRole('heading', { name: 'both is ready' }).waitFor()
  await looksRight(page, 'the result')
  await page.getByRole('button', { name: 'Fuse again' }).click()
  await page.getByText('Ready', { exact: true }).waitFor()
  await looksRight(page, 'the form')
  expect(errors).toEqual([])
  await page.context().close()
})
