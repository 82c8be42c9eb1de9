// A data set of a hub on loopback: seen before it is fetched, written in a form, and trained on by the real engine.
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchBrowser, openPage } from './browser.ts'
import { startHub, type LocalHub } from './localHub.ts'
import { completed, startButton, whenReady } from './pages.ts'
import { newDataDir, startServer, type Server } from './server.ts'

type Turns = { readonly messages: readonly { readonly role: string; readonly content: string }[] }

const DEMO = resolve(import.meta.dirname, '..', '..', 'test_data/demo/chat/train.jsonl')
const CARD = {
  license: 'cc0-1.0',
  configs: [
    { config_name: 'captain', data_files: [{ split: 'train', path: 'captain/*' }] },
    { config_name: 'pairs', data_files: 'pairs/*' },
  ],
}

/** The demo's questions and answers under column names of their own. */
function exchanges(): string {
  const rows = readFileSync(DEMO, 'utf8').trim().split('\n').slice(0, 40).map((line) => JSON.parse(line) as Turns)
  const said = ({ messages }: Turns, role: string) => messages.find((turn) => turn.role === role)?.content ?? ''
  return rows.map((row) => JSON.stringify({ asked: said(row, 'user'), told: said(row, 'assistant') })).join('\n')
}

let hub: LocalHub
let browser: Browser
let server: Server

beforeAll(async () => {
  hub = await startHub('acme/captains', CARD, {
    'captain/train.jsonl': exchanges(),
    'pairs/all.csv': 'question,good,bad\nWhich?,This one.,None.\n',
  })
  ;[browser, server] = await Promise.all([launchBrowser(), startServer(newDataDir(), 0, { HF_ENDPOINT: hub.url })])
})

afterAll(async () => {
  await browser.close()
  await server.stop()
  await hub.stop()
})

test('a data set is downloaded from the hub, and a run is trained on it', async () => {
  const { page, errors } = await openPage(browser, `${server.url}/#/data`)
  await page.getByRole('button', { name: 'Download a data set…' }).click()
  const dialog = page.getByRole('dialog', { name: 'Download a data set' })
  await dialog.getByText('openai/gsm8k').waitFor()
  await dialog.getByRole('textbox', { name: 'Data set' }).fill('https://huggingface.co/datasets/acme/captains')
  await dialog.getByRole('button', { name: 'Look up' }).click()
  await dialog.getByText('licence: cc0-1.0').waitFor()

  // The rows are seen as they are, then as they would be written.
  await dialog.getByText('asked', { exact: true }).first().waitFor()
  await dialog.getByLabel('Form').selectOption({ label: 'Prompt and completion' })
  await dialog.getByText(/These rows can’t be written/).waitFor()
  await dialog.getByText('Map columns', { exact: true }).click()
  await dialog.getByLabel('Column for prompt').selectOption('asked')
  await dialog.getByLabel('Column for completion').selectOption('told')
  await dialog.getByRole('list', { name: 'First rows' }).getByText('completion').first().waitFor()
  await dialog.getByLabel('Rows at most').fill('30')
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`)).toEqual([])
  await dialog.getByRole('button', { name: 'Download', exact: true }).click()
  await dialog.getByText(/^30 rows in captains-captain-train-completions\.jsonl/).waitFor()
  const written = readFileSync(join(server.dataDir, 'datasets/captains-captain-train-completions.jsonl'), 'utf8')
  expect(Object.keys(JSON.parse(written.split('\n')[0] ?? '') as object)).toEqual(['prompt', 'completion'])

  await dialog.getByRole('button', { name: 'Train with this file' }).click()
  await page.getByText('captains-captain-train-completions.jsonl is chosen as the training file.').waitFor()
  expect(await page.getByLabel('Training data').inputValue()).toMatch(/captains-captain-train-completions\.jsonl$/)
  await page.getByLabel('Iterations').fill('4')
  await whenReady(page)
  await startButton(page).click()
  await completed(page)
  expect(errors).toEqual([])
})
