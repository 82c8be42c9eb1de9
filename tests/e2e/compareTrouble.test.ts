// Compare with more than two targets, with adapters that can't answer, and after what went wrong.
import { cpSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchBrowser, openPage, type Watched } from './browser.ts'
import { completed } from './pages.ts'
import { startServer, type Server } from './server.ts'

type Listed = { readonly models: readonly { readonly name: string; readonly path: string; readonly defaults: object }[] }

let browser: Browser
let server: Server
let desk: Watched

beforeAll(async () => {
  ;[browser, server] = await Promise.all([launchBrowser(), startServer()])
  const { models } = (await server.get('/models')) as Listed
  const demo = models.find(({ name }) => name === 'droid-demo')
  const run = { model_path: demo?.path, ...demo?.defaults, adapter_name: 'captain', iterations: 20, steps_per_eval: 10, save_every: 10 }
  expect((await server.post('/training/start', run)).ok).toBe(true)
  desk = await openPage(browser, `${server.url}/#/training`)
  await completed(desk.page)
})

afterAll(async () => {
  await browser.close()
  await server.stop()
})

const dialog = (page: Page) => page.getByRole('dialog', { name: 'Who answers?' })

async function ask(page: Page, text: string): Promise<void> {
  await page.getByLabel('Prompt', { exact: true }).fill(text)
  await page.keyboard.press('ControlOrMeta+Enter')
  await page.getByRole('button', { name: text, exact: false }).first().waitFor()
}

function copyOf(name: string, config: object = {}): string {
  const adapters = join(server.dataDir, 'adapters')
  const [from, to] = [join(adapters, 'captain'), join(adapters, name)]
  mkdirSync(to)
  cpSync(join(from, 'adapters.safetensors'), join(to, 'adapters.safetensors'))
  const own = JSON.parse(readFileSync(join(from, 'adapter_config.json'), 'utf8')) as object
  writeFileSync(join(to, 'adapter_config.json'), JSON.stringify({ ...own, ...config }))
  return join(to, 'adapters.safetensors')
}

test('the base, the best and a checkpoint answer side by side', async () => {
  const { page, errors } = desk
  await page.goto(`${server.url}/#/compare`)
  await page.getByRole('button', { name: 'Choose models…' }).click()
  await dialog(page).getByRole('checkbox', { name: 'best', exact: true }).check()
  await dialog(page).getByRole('checkbox', { name: 'step 10', exact: true }).check()
  await page.getByRole('button', { name: 'Use these 3' }).click()
  await page.getByLabel('Max tokens').fill('12')
  await ask(page, 'Who are you?')
  await page.waitForFunction(async () => {
    const { comparisons } = (await (await fetch('/api/comparisons')).json()) as { comparisons: { answers: { text: string }[] }[] }
    return comparisons[0]?.answers.length === 3 && comparisons[0].answers.every(({ text }) => text !== '')
  })
  expect(errors).toEqual([])
})

test('adapters that can’t answer say why, and one without a base can be tried', async () => {
  const { page, errors } = desk
  truncateSync(copyOf('half'), 50_000)
  copyOf('foreign', { model: '/models/Other-7B', droid: null })
  copyOf('plain', { model: undefined })
  await page.reload()
  await page.getByRole('button', { name: 'Choose models…' }).click()
  const list = dialog(page)
  await list.getByText('damaged', { exact: true }).waitFor()
  await list.getByText('wrong base', { exact: true }).waitFor()
  await list.getByText('unknown base', { exact: true }).waitFor()
  expect(await list.getByRole('checkbox', { name: 'half' }).isDisabled()).toBe(true)
  expect(await list.getByRole('checkbox', { name: 'foreign' }).isDisabled()).toBe(true)
  await list.getByText(/trained on .*Other-7B/).waitFor()
  await list.getByRole('checkbox', { name: 'plain' }).check()
  await page.getByRole('button', { name: /^Use these/ }).click()
  await ask(page, 'Are you plain?')
  expect(errors).toEqual([])
})

test('after the worker was killed the next question is answered', async () => {
  const { page, errors } = desk
  const { pid } = (await server.get('/models/worker')) as { pid: number }
  process.kill(pid, 'SIGKILL')
  await ask(page, 'Are you back?')
  const again = (await server.get('/models/worker')) as { pid: number }
  expect(again.pid).not.toBe(pid)
  expect(errors).toEqual([])
})

test('the history is there after a restart of the server', async () => {
  const { page } = desk
  const { dataDir, url } = server
  await server.stop()
  server = await startServer(dataDir, Number(new URL(url).port))
  await page.reload()
  await page.getByRole('button', { name: /^Who are you\?/ }).click()
  expect(await page.getByText('step 10').count()).toBeGreaterThan(0)
})
