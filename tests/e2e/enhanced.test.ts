// Learning from rewards and from preferences, pressed in a real browser against the real engine.
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { fill, openEnhanced, savedRun } from './enhanced.ts'
import { startButton, whenReady } from './pages.ts'
import { setStage } from './stage.ts'

const { serve, open } = setStage()
const DEMO = resolve(import.meta.dirname, '..', '..', 'test_data', 'demo')

/** The first number in the summary of a chart after which it has drawn something. */
async function reports(page: Page, chart: string): Promise<number> {
  const label = (await page.locator(`[aria-label^="${chart}"]`).first().getAttribute('aria-label')) ?? ''
  return Number(/(\d+) reports/.exec(label)?.[1] ?? '0')
}

test('GRPO from the page: rewards tried first, live curves and samples, stop and save', async () => {
  const server = await serve()
  const { page, errors } = await open(server)
  await openEnhanced(page, 'GRPO')

  await page.getByRole('button', { name: 'Generate sample…' }).click()
  await page.getByRole('dialog').getByLabel('Rows').fill('16')
  await page.getByRole('button', { name: 'Create and use' }).click()
  await page.getByRole('button', { name: 'Validate every line' }).click()
  await page.getByText(/^16 rows of .* can be used/).waitFor()

  await page.getByRole('button', { name: 'Choose functions…' }).click()
  await page.getByRole('checkbox', { name: 'token_f1' }).check()
  await page.getByRole('checkbox', { name: 'length_window' }).check()
  await page.getByRole('button', { name: 'Done' }).click()
  await page.getByRole('button', { name: 'Try on samples…' }).click()
  await page.getByRole('button', { name: 'Score' }).click()
  await page.getByText('Average reward').waitFor()
  await page.getByRole('button', { name: 'Close' }).last().click()

  await page.getByText('Advanced', { exact: true }).click()
  await fill(page, {
    'Adapter name': 'rewarded',
    Iterations: '400',
    'Batch size': '2',
    'Group size': '2',
    'Max answer length': '8',
    'Steps per report': '1',
    'Steps per evaluation': '2',
    'Validation batches': '1',
  })
  await page.getByLabel('Early stopping').first().uncheck()
  expect(await page.getByLabel('Epsilon', { exact: true }).isDisabled()).toBe(true)
  await whenReady(page)
  await startButton(page).click()

  await page.waitForFunction(() => {
    const label = document.querySelector('[aria-label^="Reward chart"]')?.getAttribute('aria-label') ?? ''
    return Number(/([\d,]+) reports/.exec(label)?.[1] ?? '0') >= 3
  })
  const samples = page.getByRole('region', { name: 'Sample completions' })
  await samples.getByText('token_f1').first().waitFor()
  await page.getByRole('region', { name: 'Reward by function' }).getByText('length_window').first().waitFor()
  expect(await reports(page, 'KL to the reference')).toBeGreaterThan(0)

  await page.getByRole('button', { name: 'Stop…' }).click()
  await page.getByRole('button', { name: 'Stop and save' }).click()
  await page.getByRole('heading', { name: 'Training was stopped' }).waitFor()

  expect(existsSync(join(server.dataDir, 'adapters', 'rewarded', 'adapters.safetensors'))).toBe(true)
  const saved = await savedRun(server)
  expect(saved.record).toMatchObject({ method: 'grpo', training_state: 'stopped' })
  expect(saved.record.config).toMatchObject({ reward_functions: 'token_f1, length_window', group_size: 2, lora_keys: 'qv' })
  expect(Object.keys(saved.series.train)).toEqual(expect.arrayContaining(['avg_reward', 'reward/token_f1', 'reward/length_window']))
  expect(Object.keys(saved.samples[0]?.rewards ?? {})).toEqual(['token_f1', 'length_window'])

  await page.getByRole('link', { name: 'Open in Results' }).click()
  await page.getByRole('heading', { name: 'rewarded' }).waitFor()
  await page.getByRole('region', { name: 'Sample completions' }).getByText('token_f1').first().waitFor()
  expect(errors).toEqual([])
})

test('DPO from the page trains to its end, and its session has accuracy and margin', async () => {
  const server = await serve()
  const { page, errors } = await open(server)
  await openEnhanced(page, 'DPO')
  await page.getByText('Advanced', { exact: true }).click()
  await fill(page, {
    'Training data': join(DEMO, 'preference', 'train.jsonl'),
    'Validation data': join(DEMO, 'preference', 'valid.jsonl'),
    'Adapter name': 'preferred',
    Iterations: '6',
    'Batch size': '2',
    'Max sequence length': '128',
    'Steps per report': '2',
    'Steps per evaluation': '3',
    'Validation batches': '2',
  })
  await whenReady(page)
  await page.getByRole('button', { name: 'Use held-out prompts' }).click()
  await page.getByLabel('Sample prompt 8', { exact: true }).waitFor()
  await fill(page, { 'Longest answer': '8' })
  await whenReady(page)
  await startButton(page).click()
  await page.getByRole('heading', { name: /Training is complete|Stopped early/ }).waitFor()
  const answers = page.getByRole('region', { name: 'Sample prompts' })
  await answers.getByRole('group', { name: 'After iteration 6' }).nth(7).waitFor()
  await page.reload()
  await answers.getByRole('slider').fill('1')
  await answers.getByRole('group', { name: 'After iteration 3' }).nth(7).waitFor()
  await answers.getByRole('group', { name: 'Base model' }).nth(7).waitFor()
  await page.getByRole('region', { name: 'Accuracy' }).waitFor()
  const { record, series } = await savedRun(server)
  expect(record).toMatchObject({ method: 'dpo', training_state: 'completed' })
  expect(Object.keys(series.train)).toEqual(expect.arrayContaining(['accuracy', 'margin', 'rewards_chosen']))
  const lineage = readFileSync(join(server.dataDir, 'adapters', 'preferred', 'adapter_config.json'), 'utf8')
  expect(JSON.parse(lineage)).toHaveProperty('model')
  expect(errors).toEqual([])
})

test('what a method can’t use is said in the page, by line, and starts nothing', async () => {
  const server = await serve()
  const { page } = await open(server)
  await openEnhanced(page, 'DPO')
  await fill(page, { 'Training data': join(DEMO, 'grpo', 'train.jsonl') })
  await page.getByRole('button', { name: 'Validate every line' }).click()
  await page.getByText(/Line 1 /).first().waitFor()
  expect(await startButton(page).isDisabled()).toBe(true)
  expect(await server.get('/sessions')).toMatchObject({ sessions: [] })
})
