// Every training method, pressed in a real browser to its end, and started once more over REST: there
// it is stopped after a step and goes on to its end.
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

/** Of its form there is no demo data: the server makes some. */
const SAMPLES = 'samples'

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
  ['FTPO', 'ftpo', SAMPLES, {}],
  ['Online DPO', 'online_dpo', 'grpo', SAMPLED],
  ['XPO', 'xpo', 'grpo', SAMPLED],
  ['PPO (pairwise)', 'ppo', 'grpo', SAMPLED],
  ['RLHF (REINFORCE)', 'rlhf_reinforce', 'grpo', SAMPLED],
  ['KLPO', 'klpo', 'grpo', SAMPLED],
]

type Run = {
  readonly training_state: string
  readonly metrics: { readonly current_step: number | null }
  readonly resumed_from: { readonly session_id: string } | null
}
type Started = { readonly success: boolean; readonly session_id: string }

const going = (record: Run) => ['starting', 'running', 'stopping'].includes(record.training_state)

/** The training and the validation file of a case. */
async function dataOf(server: Server, method: string, data: string): Promise<readonly [string, string]> {
  if (data !== SAMPLES) return [join(DEMO, data, 'train.jsonl'), join(DEMO, data, 'valid.jsonl')]
  const paths = [join(server.dataDir, 'train.jsonl'), join(server.dataDir, 'valid.jsonl')] as const
  for (const [seed, output_path] of paths.entries()) {
    const made = await server.post('/api/training/generate-sample-data', { method, output_path, num_samples: 40, seed })
    expect(made.status).toBe(200)
  }
  return paths
}

async function recordWhen(server: Server, id: string, wanted: (record: Run) => boolean): Promise<Run> {
  for (;;) {
    const record = (await server.get(`/sessions/${id}`)) as Run
    if (wanted(record)) return record
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** Start it, stop it after its first steps with its weights kept, and let it go on for one step more. */
async function stopAndGoOn(server: Server, request: object, resumable: boolean): Promise<void> {
  const answer = await server.post('/api/training/start-enhanced', { ...request, iterations: 5000 })
  const started = (await answer.json()) as Started
  expect(started, JSON.stringify(started)).toMatchObject({ success: true })
  await recordWhen(server, started.session_id, (run) => (run.metrics.current_step ?? 0) >= 1 || !going(run))
  await server.post('/training/stop', { save: true })
  const stopped = await recordWhen(server, started.session_id, (run) => !going(run))
  expect(stopped.training_state).toBe('stopped')
  if (!resumable) return
  const last = (stopped.metrics.current_step ?? 0) + 1
  const resumed = (await (await server.post(`/sessions/${started.session_id}/resume`, { iterations: last })).json()) as Started
  expect(resumed).toMatchObject({ status: 'started' })
  const finished = await recordWhen(server, resumed.session_id, (run) => !going(run))
  expect(finished).toMatchObject({
    training_state: 'completed', resumed_from: { session_id: started.session_id }, metrics: { current_step: last },
  })
  const { series } = (await server.get(`/sessions/${resumed.session_id}/metrics`)) as { series: { train: { step: number[] } } }
  expect(series.train.step).toEqual(Array.from({ length: last }, (_, index) => index + 1))
}

test('there is a case for each method that the server offers', async () => {
  const server = await serve()
  const { methods } = (await server.get('/api/training/methods')) as { methods: Record<string, unknown> }
  expect(METHODS.map(([, id]) => id)).toEqual(Object.keys(methods))
})

test.each(METHODS)('%s trains from the page and over REST', async (card, id, data, settings) => {
  const server = await serve()
  const { page, errors } = await open(server)
  const [train, valid] = await dataOf(server, id, data)
  await openEnhanced(page, card)
  await page.getByText('Advanced', { exact: true }).click()
  await fill(page, {
    'Training data': train,
    'Validation data': valid,
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
  // Null is left out: a run of SFT is recorded by the standard tab, whose epsilon is the optimizer's.
  const again = Object.fromEntries(Object.entries(rest).filter(([name, value]) => name in fields && value !== null))
  const { methods } = (await server.get('/api/training/methods')) as { methods: { [id: string]: { resumable: boolean } } }
  await stopAndGoOn(
    server,
    { ...again, training_method: training_method ?? id, model_path, train_data_path, adapter_name: 'posted' },
    methods[id]?.resumable ?? false,
  )
  expect(errors).toEqual([])
})
