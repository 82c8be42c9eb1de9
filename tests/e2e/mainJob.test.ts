// The main job, pressed in a real browser against the real backend and engine.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { chartFacts, chartPasses, completed, startButton, whenReady } from './pages.ts'
import { setStage } from './stage.ts'

const { serve, open } = setStage()

test('one press trains the demo model, live, through a reload, to an adapter in Results', async () => {
  const server = await serve()
  const { page, errors } = await open(server)
  await whenReady(page)
  await page.getByLabel('Iterations').fill('60')
  await page.getByLabel('Adapter name').fill('from_the_browser')
  await whenReady(page)
  const wall = await page.context().newPage()
  await wall.goto(`${server.url}/examples/dashboard.html`)
  await startButton(page).click()

  const early = await chartPasses(page, 8)
  await page.reload()
  const reloaded = await chartPasses(page, early.upTo)
  expect(reloaded.reports).toBeGreaterThanOrEqual(early.reports)
  await completed(page)
  const end = await chartFacts(page)
  expect(end.upTo).toBe(60)
  await wall.bringToFront()
  await wall.getByText('completed', { exact: true }).waitFor()
  await wall.getByText('60 / 60', { exact: true }).waitFor()
  await wall.waitForFunction((reports) => document.querySelector('canvas')?.dataset['points'] === String(reports), end.reports)
  await page.bringToFront()

  const adapter = join(server.dataDir, 'adapters', 'from_the_browser')
  for (const file of ['adapters.safetensors', 'best_adapters.safetensors', 'adapter_config.json']) {
    expect(existsSync(join(adapter, file)), file).toBe(true)
  }
  await page.getByRole('link', { name: 'Open in Results' }).click()
  await page.getByRole('heading', { name: 'from_the_browser' }).waitFor()
  expect(errors).toEqual([])
})

test('a server killed mid-run and started again shows the same run without a hole', async () => {
  const server = await serve()
  const { page } = await open(server)
  await whenReady(page)
  await page.getByText('Advanced', { exact: true }).click()
  await page.getByLabel('Iterations').fill('150')
  await page.getByLabel('Steps per report').fill('1')
  await page.getByLabel('Early stopping').first().uncheck()
  await whenReady(page)
  await startButton(page).click()
  await chartPasses(page, 5)
  await server.kill()

  await serve(server.dataDir, Number(new URL(server.url).port))
  await completed(page)

  const { reports, upTo } = await chartFacts(page)
  expect({ reports, upTo }).toEqual({ reports: 150, upTo: 150 })
  const sessions = (await server.get('/sessions')) as { sessions: { session_id: string }[] }
  expect(sessions.sessions).toHaveLength(1)
  const folder = join(server.dataDir, 'sessions', sessions.sessions[0]?.session_id ?? '')
  const lines = readFileSync(join(folder, 'events.jsonl'), 'utf8').trim().split('\n')
  const starts = lines.filter((line) => line.includes('"loading model"'))
  expect(starts, 'the run was not started twice').toHaveLength(1)
})

test('bad input is refused in the page, beside its field, and nothing is written', async () => {
  const server = await serve()
  const { page } = await open(server)
  await whenReady(page)
  await page.getByLabel('Rank').fill('0')
  await page.getByText(/512/).first().waitFor()
  expect(await startButton(page).isDisabled()).toBe(true)
  await page.getByLabel('Rank').fill('32')
  await page.getByLabel('Training data').fill('/nowhere/rows.jsonl')
  await page.getByText(/\/nowhere\/rows\.jsonl/).first().waitFor()
  expect(await startButton(page).isDisabled()).toBe(true)
  expect(await server.get('/sessions')).toMatchObject({ sessions: [] })
  const adapters = join(server.dataDir, 'adapters')
  expect(existsSync(adapters) ? readdirSync(adapters).filter((name) => !name.startsWith('.')) : []).toEqual([])
})
