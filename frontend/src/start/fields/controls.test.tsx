/** Every control of the form changes the request: one row per field of the schema. */
import { act, fireEvent, screen } from '@testing-library/react'
import { useEffect } from 'react'
import { expect, test } from 'vitest'
import { FIELDS, type Field, type FieldName } from '@/api/fields'
import type { StandardStart } from '@/api/generated'
import { renderPage, serve } from '@/test/render'
import { DataCard } from '@/start/data/DataCard'
import { LoraCard } from '@/start/lora/LoraCard'
import { ModelCard } from '@/start/model/ModelCard'
import { NotesCard } from '@/start/review/NotesCard'
import { ParametersCard } from './ParametersCard'
import { RanksCard } from './RanksCard'
import { SamplesCard } from '@/start/samples/SamplesCard'
import { DEMO, QWEN, TARGETS } from '@/test/formSamples'
import type { Edits } from './fieldRules'
import { SETUP } from '@/start/page/setupSpec'
import { STANDARD } from '@/start/page/startKinds'
import { useMethodForm } from '@/start/page/useMethodForm'
import type { StartForm } from '@/start/fields/useStartForm'

type Way = 'type' | 'choose' | 'switch' | 'pick' | 'add'
type Row = readonly [way: Way, given: string, sent: unknown]

const ROWS: Partial<Record<FieldName, Row>> = {
  model_path: ['pick', DEMO.name, DEMO.path],
  train_data_path: ['type', '/data/other.jsonl', '/data/other.jsonl'],
  val_data_path: ['type', '/data/valid.jsonl', '/data/valid.jsonl'],
  val_split: ['type', '0.25', 0.25],
  on_bad_rows: ['choose', 'skip', 'skip'],
  learning_rate: ['type', '2e-5', 2e-5],
  batch_size: ['type', '7', 7],
  max_seq_length: ['type', '2,048', 2048],
  iterations: ['type', '77', 77],
  epochs: ['type', '1.5', 1.5],
  steps_per_report: ['type', '3', 3],
  steps_per_eval: ['type', '9', 9],
  save_every: ['type', '11', 11],
  early_stop: ['switch', '', false],
  patience: ['type', '5', 5],
  min_delta: ['type', '0.01', 0.01],
  adapter_name: ['type', 'mine', 'mine'],
  overwrite: ['switch', '', true],
  fine_tune_type: ['choose', 'dora', 'dora'],
  lora_rank: ['type', '8', 8],
  lora_alpha: ['type', '16', 16],
  lora_scaling: ['choose', 'rslora', 'rslora'],
  quantize_base: ['choose', '4', 4],
  lora_dropout: ['type', '0.05', 0.05],
  lora_num_layers: ['choose', '8', 8],
  lora_keys: ['pick', 'Attention', 'attention'],
  optimizer: ['choose', 'muon', 'muon'],
  weight_decay: ['type', '0', 0],
  beta1: ['type', '0.8', 0.8],
  beta2: ['type', '0.99', 0.99],
  epsilon: ['type', '1e-6', 1e-6],
  epsilon_squares: ['type', '1e-20', 1e-20],
  epsilon_scale: ['type', '1e-4', 1e-4],
  bias_correction: ['switch', '', true],
  momentum: ['type', '0.9', 0.9],
  nesterov: ['choose', 'on', 'on'],
  clip_threshold: ['type', '2', 2],
  dampening: ['type', '0.1', 0.1],
  ns_steps: ['type', '7', 7],
  decay_rate: ['type', '-0.7', -0.7],
  relative_step: ['switch', '', true],
  scale_parameter: ['switch', '', true],
  warmup_init: ['switch', '', true],
  report_to: ['choose', 'wandb', 'wandb'],
  project_name: ['type', 'mine', 'mine'],
  lr_schedule: ['choose', 'cosine', 'cosine'],
  warmup_steps: ['type', '10', 10],
  grad_accumulation_steps: ['type', '2', 2],
  grad_checkpoint: ['switch', '', false],
  mask_prompt: ['switch', '', true],
  seed: ['type', '42', 42],
  val_batches: ['type', '4', 4],
  test: ['switch', '', true],
  keep_checkpoints: ['type', '0', 0],
  max_grad_norm: ['type', '1', 1],
  auto_continue: ['type', '3', 3],
  sample_prompts: ['add', 'Why?', ['Why?']],
  sample_max_tokens: ['type', '64', 64],
  notes: ['type', 'first try', 'first try'],
  tags: ['type', 'a, b', ['a', 'b']],
  distributed: ['pick', 'This machine', { processes: 2 }],
}

const ALL: readonly Field[] = FIELDS

let form: StartForm | null = null
const sent = () => (form?.request ?? null) as StandardStart | null
// TARGETS are those of this model.
const START = { model_path: QWEN.path, train_data_path: '/data/train.jsonl', adapter_name: 'not_from_the_file' }
const LIST = { models: [DEMO, QWEN], loaded: true, problem: null, retry: () => undefined, retrying: false }
const NOTHING_TAKEN: ReadonlySet<string> = new Set()

function Cards() {
  const own = useMethodForm(STANDARD, { models: LIST.models, taken: NOTHING_TAKEN }).form
  useEffect(() => {
    form = own
  })
  const common = { form: own, errors: {}, preview: null }
  return (
    <>
      <ModelCard {...common} list={LIST} />
      <DataCard {...common} />
      <ParametersCard {...common} />
      <LoraCard {...STANDARD.lora} {...common} targets={TARGETS} targetsProblem={null} />
      <RanksCard {...common} />
      <SamplesCard {...common} />
      <NotesCard {...common} />
    </>
  )
}

function show(): void {
  localStorage.setItem('droid.setup', JSON.stringify({ edits: START, level: 'advanced' }))
  serve({})
  renderPage(<Cards />)
}

function use(name: FieldName, [way, given]: Row): void {
  if (way === 'add') {
    fireEvent.click(screen.getByText('Add prompt'))
    fireEvent.change(labelled('Sample prompt 1'), { target: { value: given } })
    return
  }
  const title = FIELDS.find((field) => field.name === name)?.title ?? ''
  const control = name === 'model_path' ? screen.getByRole('radio', { name: given }) : labelled(way === 'pick' ? given : title)
  if (way === 'pick' || way === 'switch') fireEvent.click(control)
  else fireEvent.change(control, { target: { value: given } })
}

/** As getByLabelText does, which takes a second each time in a form of this size. */
function labelled(title: string): HTMLElement {
  const labels = [...document.querySelectorAll('label')].filter((each) => (each.control?.getAttribute('aria-label') ?? each.textContent) === title)
  const control = labels[0]?.control
  if (labels.length !== 1 || !control) throw new Error(`${labels.length} controls are labelled “${title}”.`)
  return control
}

/** The edits with which a field is shown at all: of each choice it hangs on, one that allows it. */
function shownBy(name: FieldName): Edits {
  const { when = {} } = ALL.find((field) => field.name === name) ?? ({} as Partial<Field>)
  const needed = Object.entries(when).map(([other, allowed]) => {
    const value = allowed[0]
    return [other, typeof value === 'boolean' ? value : String(value)] as const
  })
  const more: Edits = name === 'sample_max_tokens' ? { sample_prompts: ['Why?'] } : {}
  return { ...START, ...more, ...Object.assign({}, ...needed.map(([other]) => shownBy(other as FieldName))), ...Object.fromEntries(needed) }
}

test('the control of every field changes that field of the request, and no other', () => {
  show()
  expect(sent()).not.toBeNull()
  const names = FIELDS.map((field) => field.name).filter((name) => !SETUP.noControl.includes(name))
  expect(Object.keys(ROWS).sort()).toEqual([...names].sort())
  for (const name of names) {
    const row = ROWS[name]
    if (!row) continue
    act(() => form?.replace(shownBy(name)))
    const before = sent()
    use(name, row)
    expect(before?.[name], `${name} before`).not.toEqual(row[2])
    expect(sent()?.[name], name).toEqual(row[2])
    // A model brings its defaults along, iterations and epochs are one setting, and what a choice
    // leaves without an effect is not sent any more.
    const hangs = ALL.filter((field) => field.when && name in field.when).map((field) => [field.name, 0])
    const others = (request: StandardStart | null) => ({ ...request, [name]: 0, iterations: 0, epochs: 0, ...Object.fromEntries(hangs) })
    if (name !== 'model_path') expect(others(sent()), `beside ${name}`).toEqual(others(before))
    act(() => form?.replace(shownBy(name)))
    expect(sent(), `after ${name}`).toEqual(before)
  }
}, 30_000)

test('what has no effect is neither shown nor sent, and comes back with what it hangs on', () => {
  show()
  fireEvent.change(labelled('Beta 1'), { target: { value: '0.8' } })
  fireEvent.change(labelled('Optimizer'), { target: { value: 'sgd' } })
  expect(() => labelled('Beta 1')).toThrow('0 controls')
  expect(sent()).not.toHaveProperty('beta1')
  expect(form?.unusual).toEqual(['optimizer'])
  fireEvent.change(labelled('Optimizer'), { target: { value: 'adamw' } })
  expect(sent()?.beta1).toBe(0.8)
})

test('a number may be emptied while typing; then there is nothing to send', () => {
  show()
  const rank = labelled('Rank')
  fireEvent.change(rank, { target: { value: '' } })
  expect(rank).toHaveProperty('value', '')
  expect(sent()).toBeNull()
  fireEvent.change(rank, { target: { value: '900' } })
  expect(rank).toHaveProperty('value', '900')
  expect(sent()).toBeNull()
})
