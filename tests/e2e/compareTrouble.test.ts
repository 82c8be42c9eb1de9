// Compare with more than two targets, a judge, adapters that can't answer, and after what went wrong.
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
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

// A judge that finds every answer good, and of two the first: as biased as one can be.
const judge = createServer((request, response) => {
  let body = ''
  request.on('data', (part: Buffer) => (body += part.toString()))
  request.on('end', () => {
    const { messages } = JSON.parse(body) as { messages: { content: string }[] }
    const both = messages.at(-1)?.content.includes('[SECOND ANSWER]')
    const scores = { faithfulness: 8, fact_recall: 7, consistency: 9, hallucination: 9, reason: 'Good.' }
    const content = JSON.stringify(both ? { better: 'first' } : scores)
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ choices: [{ message: { role: 'assistant', content }, finish_reason: 'stop' }] }))
  })
})

beforeAll(async () => {
  await new Promise<void>((ready) => judge.listen(0, '127.0.0.1', ready))
  const address = `http://127.0.0.1:${(judge.address() as AddressInfo).port}/v1`
  const env = { DROID_JUDGE_URL: address, DROID_JUDGE_MODEL: 'kind-judge' }
  ;[browser, server] = await Promise.all([launchBrowser(), startServer(undefined, 0, env)])
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
  judge.close()
})

const dialog = (page: Page) => page.getByRole('dialog', { name: 'Choose models' })

type Kept = { readonly comparisons: readonly { readonly prompt: string; readonly answers: readonly { readonly text: string; readonly error?: string | null }[] }[] }

/** Every target of the question has answered, none with an error. */
async function ask(page: Page, text: string, targets: number): Promise<void> {
  await page.getByLabel('Prompt', { exact: true }).fill(text)
  await page.keyboard.press('ControlOrMeta+Enter')
  const answered = async () => {
    const { comparisons } = (await server.get('/api/comparisons?limit=1')) as Kept
    const [newest] = comparisons
    return newest?.prompt === text && newest.answers.map((each) => each.text !== '' && !each.error)
  }
  await expect.poll(answered, { timeout: 60_000 }).toEqual(Array<boolean>(targets).fill(true))
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

/** A session as the reference app wrote it. */
function record(adapter: string): void {
  const id = randomUUID()
  const session = {
    session_id: id,
    timestamp: '2025-10-24T12:00:00',
    training_state: 'completed',
    config: { model_path: '/models/droid-demo', adapter_name: adapter },
    metrics: { current_step: 10, total_steps: 10 },
  }
  writeFileSync(join(server.dataDir, 'sessions', `session_${id}.json`), JSON.stringify(session))
}

test('the base, the best and a checkpoint answer side by side', async () => {
  const { page, errors } = desk
  await page.goto(`${server.url}/#/compare`)
  await page.getByRole('region', { name: 'captain' }).first().waitFor()
  await page.getByRole('button', { name: 'Choose models…' }).click()
  await dialog(page).getByRole('checkbox', { name: 'best', exact: true }).check()
  await dialog(page).getByRole('checkbox', { name: 'iteration 10', exact: true }).check()
  await page.getByRole('button', { name: 'Use these 3' }).click()
  await page.getByLabel('Max tokens').fill('12')
  await ask(page, 'Who are you?', 3)
  expect(errors).toEqual([])
})

test('adapters that can’t answer say why, and one without a base can be tried', async () => {
  const { page, errors } = desk
  truncateSync(copyOf('half'), 50_000)
  copyOf('foreign', { model: '/models/Other-7B', droid: null })
  copyOf('plain', { model: undefined })
  copyOf('old')
  record('old')
  record('deleted')
  await page.reload()
  await page.getByRole('region', { name: 'captain' }).first().waitFor()
  await page.getByRole('button', { name: 'Choose models…' }).click()
  const list = dialog(page)
  await list.getByText('damaged', { exact: true }).waitFor()
  await list.getByText('wrong base', { exact: true }).waitFor()
  await list.getByText('unknown base', { exact: true }).waitFor()
  expect(await list.getByRole('checkbox', { name: 'half' }).isDisabled()).toBe(true)
  expect(await list.getByRole('checkbox', { name: 'foreign' }).isDisabled()).toBe(true)
  await list.getByText(/trained on .*Other-7B/).waitFor()
  await list.getByText('legacy', { exact: true }).first().waitFor()
  await list.getByText('missing files', { exact: true }).first().waitFor()
  await list.getByRole('checkbox', { name: 'plain' }).check()
  await page.getByRole('button', { name: 'Use these 4' }).click()
  await ask(page, 'Are you plain?', 4)
  expect(errors).toEqual([])
})

test('after the worker was killed the next question is answered', async () => {
  const { page, errors } = desk
  const { pid } = (await server.get('/models/worker')) as { pid: number }
  process.kill(pid, 'SIGKILL')
  await ask(page, 'Are you back?', 4)
  const again = (await server.get('/models/worker')) as { pid: number }
  expect(again.pid).not.toBe(pid)
  expect(errors).toEqual([])
})

test('the judge of the settings scores both sides, and rows are sorted, filtered and marked as seen', async () => {
  const { page, errors } = desk
  const { models } = (await server.get('/models')) as Listed
  const train = (models[0]?.defaults as { train_data_path: string }).train_data_path
  const firstTwo = (path: string) => readFileSync(path, 'utf8').split('\n').slice(0, 2)
  const mixed = join(server.dataDir, 'mixed.jsonl')
  writeFileSync(mixed, [...firstTwo(train), ...firstTwo(train.replace('train.jsonl', 'test.jsonl'))].join('\n'))
  await page.getByText('Evaluate', { exact: true }).click()
  await page.getByLabel('Adapter', { exact: true }).selectOption({ label: 'captain' })
  await page.getByLabel('Rows', { exact: true }).fill('4')
  await page.getByLabel('Max tokens').fill('8')
  await page.getByText(/^More:/).click()
  await page.getByLabel('Own rows').fill(mixed)
  await page.getByLabel('Judge').selectOption('service')
  await page.getByRole('button', { name: 'Evaluate', exact: true }).click()
  await page.getByRole('table', { name: 'Scores of the judge' }).waitFor()
  expect(await page.getByText('kind-judge').count()).toBeGreaterThan(0)
  await page.getByText('2 seen in training', { exact: true }).waitFor()
  await page.getByLabel('By metric').selectOption({ label: 'Loss per token' })
  const lines = async () => (await page.getByText(/^Line \d+/).allTextContents()).map((text) => /\d+/.exec(text)?.[0])
  const best = await lines()
  await page.getByLabel('Order', { exact: true }).selectOption({ label: 'Worst first' })
  expect(await lines()).toEqual([...best].reverse())
  await page.getByText('Seen', { exact: true }).click()
  await page.getByText(/^2 of 4 rows/).waitFor()
  expect((await lines()).sort()).toEqual(['1', '2'])
  expect(errors).toEqual([])
})

test('2 prefers answer B, 0 is a tie', async () => {
  const { page, errors } = desk
  await page.getByText('Blind vote', { exact: true }).click()
  await page.getByLabel('Adapter to vote on').selectOption({ label: 'captain' })
  for (const [text, key, said] of [['One?', '2', /^You preferred (captain|the base)\./], ['Two?', '0', /^You voted a tie\./]] as const) {
    await page.getByLabel('Prompt', { exact: true }).fill(text)
    await page.getByLabel('Prompt', { exact: true }).press('ControlOrMeta+Enter')
    await page.getByRole('button', { name: /^A is better/ }).and(page.locator(':enabled')).waitFor()
    await page.keyboard.press(key)
    await page.getByText(said).waitFor()
  }
  expect(await server.get('/api/arena')).toMatchObject({ standings: [{ adapter_name: 'captain', votes: 2, ties: 1 }] })
  expect(errors).toEqual([])
})

test('the history is there after a restart of the server', async () => {
  const { page } = desk
  const { dataDir, url } = server
  await server.stop()
  server = await startServer(dataDir, Number(new URL(url).port))
  await page.goto(`${server.url}/#/compare`)
  await page.reload()
  await page.getByRole('button', { name: /^Who are you\?/ }).click()
  expect(await page.getByText('iteration 10').count()).toBeGreaterThan(0)
})
