// Runs that wait, from the browser to the real engine, over a killed server.
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { chartPasses, completed, startButton, whenReady } from './pages.ts'
import { setStage } from './stage.ts'

const { serve, open } = setStage()

async function setUp(page: Page, name: string, iterations: number): Promise<void> {
  await page.getByLabel('Iterations').fill(String(iterations))
  await page.getByLabel('Adapter name').fill(name)
}

async function waitingRuns(page: Page): Promise<(string | undefined)[]> {
  const texts = await page.getByRole('list', { name: 'Waiting runs' }).getByRole('listitem').allTextContents()
  return texts.map((text) => /run_[a-c]/.exec(text)?.[0])
}

test('runs are queued, put in order, outlive the server and train one after the other', async () => {
  const server = await serve()
  const { page } = await open(server)
  await whenReady(page)
  await setUp(page, 'run_a', 5000)
  await whenReady(page)
  await startButton(page).click()
  await chartPasses(page, 2)

  await page.getByRole('link', { name: /^Setup/ }).click()
  for (const name of ['run_b', 'run_c']) {
    await setUp(page, name, 10)
    await page.getByRole('button', { name: /^Add to queue/ }).first().click()
    await page.getByText(new RegExp(`^Added to the queue.*${name}`)).waitFor()
  }
  await page.getByRole('link', { name: /^Training/ }).click()
  await page.getByRole('button', { name: 'Move run_c up' }).click()
  await page.getByText('run_c is now number 1.').waitFor({ state: 'attached' })
  await page.waitForFunction(() => document.querySelector('ol li')?.textContent?.includes('run_c'))
  expect(await waitingRuns(page)).toEqual(['run_c', 'run_b'])

  await server.kill()
  const again = await serve(server.dataDir, Number(new URL(server.url).port))
  await page.reload()
  await page.getByRole('list', { name: 'Waiting runs' }).waitFor()
  expect(await waitingRuns(page)).toEqual(['run_c', 'run_b'])
  await page.getByRole('heading', { level: 1, name: 'run_a' }).waitFor()

  await page.getByRole('button', { name: 'Stop…' }).click()
  await page.getByText(/Then run_c starts/).waitFor()
  await page.getByRole('button', { name: 'Stop without saving' }).click()
  await page.getByRole('heading', { level: 1, name: 'run_c' }).waitFor()
  await page.getByRole('heading', { level: 1, name: 'run_b' }).waitFor()
  await completed(page)

  expect(await page.getByRole('list', { name: 'Waiting runs' }).count()).toBe(0)
  const { sessions } = (await again.get('/sessions')) as {
    sessions: { adapter_name: string; training_state: string; adapter_ready: boolean }[]
  }
  expect(sessions.map((each) => [each.adapter_name, each.training_state, each.adapter_ready])).toEqual([
    ['run_b', 'completed', true],
    ['run_c', 'completed', true],
    ['run_a', 'stopped', false],
  ])
})
