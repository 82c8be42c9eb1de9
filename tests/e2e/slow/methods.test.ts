// Every training method, pressed in a real browser to its end, and started once more over REST.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { fill, openEnhanced, savedRun } from '../enhanced.ts'
import { completed, startButton, whenReady } from '../pages.ts'
import type { Server } from '../server.ts'
import { setStage } from '../stage.ts'

const { serve, open } = setStage()
const DEMO = resolve(import.meta.dirname, '..', '..', '..', 'test_data', 'demo')
const SHORT = {
  Iterations: '2', 'Batch size': '2', 'Max sequence length': '128', 'Steps per report': '1',
  'Steps per evaluation': '2', 'Validation batches': '1',
}
const SAMPLED = { 'Max answer length': '8' }

type Case = readonly [card: string, id: string, data: string, settings: Readonly<Record<string, string>>]

const METHODS: readonly Case[] = [
  ['SFT', 'sft', 'chat', {}],
  ['GSPO', 'gspo', 'grpo', { ...SAMPLED, 'Group size': '2' }],
  ['Dr. GRPO', 'dr_grpo', 'grpo', { ...SAMPLED, 'Group size': '2' }],
  ['GRPO', 'grpo', 'grpo', { ...SAMPLED, 'Group size': '2' }],
  ['DAPO (clip-higher)', 'dapo', 'grpo', { ...SAMPLED, 'Group size': '2' }],
  ['DPO', 'dpo', 'preference', {}],
  ['ORPO', 'orpo', 'preference', {}],
  ['CPO', 'cpo', 'preference', {}],
  ['DSLA', 'dsla', 'preference', {}],
  ['Online DPO', 'online_dpo', 'grpo', SAMPLED],
  ['XPO', 'xpo', 'grpo', SAMPLED],
  ['PPO (pairwise)', 'ppo', 'grpo', SAMPLED],
  ['RLHF (REINFORCE)', 'rlhf_reinforce', 'grpo', SAMPLED],
  ['KLPO', 'klpo', 'grpo', { ...SAMPLED, 'Group size': '2' }],
]

async function ended(server: Server, id: string): Promise<string> {
  for (;;) {
    const record = (await server.get(`/sessions/${id}`)) as { training_state: string }
    if (!['starting', 'running', 'stopping'].includes(record.training_state)) return record.training_state
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

test('there is a case for each method that the server offers', async () => {
  const server = await serve()
  const { methods } = (await server.get('/api/training/methods')) as { methods: Record<string, unknown> }
  expect(METHODS.map(([, id]) => id)).toEqual(Object.keys(methods))
})

test.each(METHODS)('%s trains from the page and over REST', async (card, id, data, settings) => {
  const server = await serve()
  const { page, errors } = await open(server)
  await openEnhanced(page, card)
  await page.getByText('Advanced', { exact: true }).click()
  await fill(page, {
    'Training data': join(DEMO, data, 'train.jsonl'),
    'Validation data': join(DEMO, data, 'valid.jsonl'),
    'Adapter name': 'pressed',
    ...SHORT,
    ...settings,
  })
  await whenReady(page)
  await startButton(page).click()
  await completed(page)
  const pressed = await savedRun(server)
  expect(pressed.record).toMatchObject({ method: id, training_state: 'completed' })
  expect(pressed.series.train['step']).not.toHaveLength(0)
  expect(existsSync(join(server.dataDir, 'adapters', 'pressed', 'adapters.safetensors'))).toBe(true)

  const { training_method, model_path, train_data_path, ...rest } = pressed.record.config
  const known = (await (await fetch(`${server.url}/openapi.json`)).json()) as {
    components: { schemas: Record<string, { properties: Record<string, unknown> }> }
  }
  const fields = known.components.schemas['EnhancedStart']?.properties ?? {}
  const again = Object.fromEntries(Object.entries(rest).filter(([name]) => name in fields))
  const answer = await server.post('/api/training/start-enhanced', {
    ...again, training_method: training_method ?? id, model_path, train_data_path, adapter_name: 'posted',
  })
  const said = (await answer.json()) as { success: boolean; session_id: string }
  expect(said).toMatchObject({ success: true })
  expect(await ended(server, said.session_id)).toBe('completed')
  expect(errors).toEqual([])
})
