// Setup, Training and Results as people with other habits use them: by keyboard, in the dark, on a
// telephone, after a reload. One server and one short run serve all of it.
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fillAgain, launchBrowser, openPage, type Size, type Watched } from './browser.ts'
import { tabTo, walk } from './keyboard.ts'
import { chartFacts, chartPasses, completed, whenReady } from './pages.ts'
import { startServer, type Server } from './server.ts'

let browser: Browser
let server: Server
let desk: Watched

const DEMO_VALID = resolve(import.meta.dirname, '..', '..', 'test_data', 'demo', 'chat', 'valid.jsonl')

/** Long enough to be stopped before its end, on a fast machine too. */
const TOTAL = 100

beforeAll(async () => {
  ;[browser, server] = await Promise.all([launchBrowser(), startServer()])
  desk = await openPage(browser, server.url)
})

afterAll(async () => {
  await browser.close()
  await server.stop()
})

const field = (page: Page, label: string) => page.getByLabel(label, { exact: true })
const heading = (page: Page, name: RegExp) => page.getByRole('heading', { name })

type Sessions = { readonly sessions: readonly { readonly session_id: string; readonly training_state: string }[] }
type Metrics = { readonly series: { readonly train: { readonly step: readonly number[] } } }
const newest = async () => ((await server.get('/sessions')) as Sessions).sessions[0]

async function replaceText(page: Page, text: string): Promise<void> {
  await page.keyboard.press('ControlOrMeta+A')
  await page.keyboard.type(text)
}

test('what was typed is there after a reload, may be emptied, and goes back to the defaults', async () => {
  const { page } = desk
  await whenReady(page)
  const before = await field(page, 'Rank').inputValue()
  await field(page, 'Rank').fill('8')
  await field(page, 'Dropout').fill('')
  await page.getByText(/A number from 0/).first().waitFor()
  await page.reload()
  await field(page, 'Rank').waitFor()
  expect(await field(page, 'Rank').inputValue()).toBe('8')
  expect(await field(page, 'Dropout').inputValue()).toBe('')
  expect(await field(page, 'Dropout').getAttribute('aria-invalid')).toBe('true')
  await page.getByRole('button', { name: 'Reset to defaults' }).click()
  expect(await field(page, 'Rank').inputValue()).toBe(before)
  expect(await field(page, 'Training data').inputValue()).toBe('')
  await fillAgain(page)
  await whenReady(page)
})

test('with a file of one’s own nothing of the demo is left, and a foreign validation file is questioned', async () => {
  const own = join(mkdtempSync(join(tmpdir(), 'own ')), 'support rows.jsonl')
  const rows = Array.from({ length: 40 }, (_, n) => ({ messages: [{ role: 'user', content: `Order ${n}?` }, { role: 'assistant', content: `It is on shelf ${n}.` }] }))
  writeFileSync(own, rows.map((row) => JSON.stringify(row)).join('\n'))
  const { page, errors } = await openPage(browser, server.url, { fresh: true })
  await page.getByRole('button', { name: 'Train the demo' }).waitFor()
  await field(page, 'Training data').fill(own)
  await whenReady(page)
  // The form follows the file as soon as it has been examined, which the review does not wait for.
  const holds = (label: string, value: string) =>
    expect.poll(() => field(page, label).inputValue(), { timeout: 20_000 }).toBe(value)
  await holds('Max sequence length', '256')
  await holds('Adapter name', 'support-rows')
  await holds('Validation data', '')
  await page.getByText('108 it · 3 epochs').first().waitFor({ state: 'attached' })
  await field(page, 'Validation data').fill(DEMO_VALID)
  await page.getByText(/may not belong to support rows.jsonl/).first().waitFor()
  await page.getByRole('button', { name: 'Hold rows out instead' }).first().click()
  await holds('Validation data', '')
  expect(errors).toEqual([])
  await page.context().close()
})

test('a start that may ruin the model is asked about, with the milder way beside it', async () => {
  const { page, errors } = desk
  await field(page, 'Learning rate').fill('1e-3')
  await whenReady(page)
  await page.keyboard.press('ControlOrMeta+Enter')
  const question = page.getByRole('dialog', { name: 'Start with this high effective scale?' })
  await question.getByText(/multiplier/).waitFor()
  await axeFindsNothing(page, 'the question')
  await question.getByRole('button', { name: 'Use alpha / rank' }).click()
  await question.waitFor({ state: 'detached' })
  await whenReady(page)
  expect(await page.getByText(/Scale ×1 /).count()).toBe(1)
  await page.getByRole('button', { name: 'Reset to defaults' }).click()
  await fillAgain(page)
  expect(await server.get('/sessions')).toMatchObject({ sessions: [] })
  expect(errors).toEqual([])
})

test.each(['normal', 'narrow'] as const)('every control of Setup is reached by Tab, named and seen (%s)', async (size) => {
  const { page } = await openPage(browser, server.url, { size })
  await whenReady(page)
  await page.getByText('Advanced', { exact: true }).click()
  await field(page, 'Seed').waitFor()
  const stops = await walk(page)
  expect(stops.filter((stop) => stop.name === '' || !stop.seen)).toEqual([])
  const names = new Set(stops.map((stop) => stop.name))
  for (const label of await page.locator('main label:visible').allTextContents()) {
    // Of a group of choices the arrow keys reach the rest.
    const choice = page.locator('main fieldset label', { hasText: label })
    if ((await choice.count()) === 0) expect(names, label).toContain(label)
  }
  await page.context().close()
})

test('a run is set up, started, stopped and kept with the keyboard alone', async () => {
  const { page } = desk
  await page.reload()
  await whenReady(page)
  await tabTo(page, /^Iterations/)
  await replaceText(page, String(TOTAL))
  await tabTo(page, /^Adapter name/)
  await replaceText(page, 'by_keyboard')
  await whenReady(page)
  await tabTo(page, /^Start Training/)
  await page.keyboard.press('Enter')
  await chartPasses(page, 10)
  await tabTo(page, /^Stop…/)
  await page.keyboard.press('Enter')
  await tabTo(page, /^Stop and save/)
  await page.keyboard.press('Enter')
  await heading(page, /Training was stopped/).waitFor()
  const stopped = await chartFacts(page)
  expect(stopped.upTo).toBeGreaterThanOrEqual(10)
  expect(stopped.upTo).toBeLessThan(TOTAL)
})

test('the stopped run is resumed from Results to its end, with no hole in its chart', async () => {
  const { page, errors } = desk
  const before = await newest()
  await page.getByRole('link', { name: /^Results/ }).first().click()
  await page.getByRole('button', { name: 'Resume by_keyboard…' }).first().click()
  expect(await field(page, 'Total iterations').inputValue()).toBe(String(TOTAL))
  await page.getByRole('button', { name: 'Resume training' }).click()
  await completed(page)
  const shown = await chartFacts(page)
  expect(shown.upTo).toBe(TOTAL)

  const after = await newest()
  expect(after?.session_id).not.toBe(before?.session_id)
  const { series } = (await server.get(`/sessions/${after?.session_id}/metrics`)) as Metrics
  const steps = series.train.step
  expect(shown.reports).toBe(steps.length)
  expect(steps[0]).toBe(10)
  expect(steps.slice(1).filter((step, at) => step - (steps[at] ?? 0) > 10), 'gaps').toEqual([])
  await page.reload()
  await completed(page)
  expect(await chartFacts(page)).toEqual(shown)
  expect(errors).toEqual([])
})

test('a session’s configuration fills Setup, under a name that is free', async () => {
  const { page, errors } = desk
  await page.getByRole('link', { name: 'Open in Results' }).click()
  await page.getByText(/Resumed from/).waitFor()
  await page.getByRole('button', { name: 'Duplicate into Setup' }).click()
  await page.getByText('Settings loaded from “by_keyboard”.').waitFor()
  expect(await field(page, 'Iterations').inputValue()).toBe(String(TOTAL))
  expect(await field(page, 'Adapter name').inputValue()).toBe('by_keyboard_2')
  await whenReady(page)
  expect(errors).toEqual([])
})

const LOOKS: readonly (readonly [Size, 'light' | 'dark'])[] = [
  ['normal', 'light'],
  ['normal', 'dark'],
  ['narrow', 'light'],
  ['narrow', 'dark'],
]

test.each(LOOKS)('axe finds nothing on the pages of a run (%s, %s), nor is one too wide', async (size, scheme) => {
  const { page, errors } = await openPage(browser, server.url, { size, scheme })
  const session = (await newest())?.session_id ?? ''
  await whenReady(page)
  await page.getByText('Advanced', { exact: true }).click()
  await field(page, 'Seed').waitFor()
  await axeFindsNothing(page, 'Setup')
  await page.goto(`${server.url}/#/training`)
  await completed(page)
  await axeFindsNothing(page, 'Training')
  await page.goto(`${server.url}/#/results`)
  const resume = page.getByRole('button', { name: 'Resume by_keyboard…' })
  await resume.first().waitFor()
  await axeFindsNothing(page, 'Results')
  await resume.first().click()
  await field(page, 'Total iterations').waitFor()
  await axeFindsNothing(page, 'the question')
  await page.goto(`${server.url}/#/results/${session}`)
  await page.reload()
  await page.locator('[aria-label^="Loss chart"]').waitFor()
  await axeFindsNothing(page, 'a session')
  expect(errors).toEqual([])
  await page.context().close()
})

/** Only what a person would meet: the page as it stands, colours included. */
async function axeFindsNothing(page: Page, what: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  const found = violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.html).join(' ')}`)
  expect(found, what).toEqual([])
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  expect(wide, `${what} is wider than the screen`).toBeLessThanOrEqual(0)
}
