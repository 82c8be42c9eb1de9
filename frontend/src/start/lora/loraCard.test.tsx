/** What Setup's LoRA card offers, says and sends. */
import { act, fireEvent, screen } from '@testing-library/react'
import { useEffect } from 'react'
import { expect, test } from 'vitest'
import type { LoraTargets, StandardStart } from '@/api/generated'
import type { Edits } from '@/start/fields/fieldRules'
import { QWEN, TARGETS } from '@/test/formSamples'
import { renderPage, serve } from '@/test/render'
import { LoraCard } from './LoraCard'
import { STANDARD } from '@/start/page/startKinds'
import { useMethodForm } from '@/start/page/useMethodForm'
import type { StartForm } from '@/start/fields/useStartForm'

const MODELS = [QWEN]
const NOTHING_TAKEN: ReadonlySet<string> = new Set()

let form: StartForm | null = null
const sent = () => (form?.request ?? null) as StandardStart | null

function Page({ targets }: { readonly targets: LoraTargets }) {
  const own = useMethodForm(STANDARD, { models: MODELS, taken: NOTHING_TAKEN }).form
  useEffect(() => {
    form = own
  })
  return <LoraCard {...STANDARD.lora} form={own} errors={{}} preview={null} targets={targets} targetsProblem={null} />
}

function show({ edits = {}, targets = TARGETS }: { readonly edits?: Edits; readonly targets?: LoraTargets } = {}): void {
  localStorage.setItem('droid.setup', JSON.stringify({ edits: { train_data_path: '/data/train.jsonl', ...edits }, level: 'advanced' }))
  serve({})
  renderPage(<Page targets={targets} />)
}

const labelled = (title: string | RegExp) => screen.getByLabelText(title)

test('a number of layers of one’s own may be emptied, and is held to the depth of the model', () => {
  show()
  fireEvent.change(labelled('Layer coverage'), { target: { value: 'custom' } })
  const layers = screen.getByLabelText<HTMLInputElement>('Number of last layers')
  expect(layers.value, 'it starts with all of them').toBe('24')
  for (const [typed, said] of [['', 'A whole number from 1 to 24.'], ['25', 'A whole number from 1 to 24; not 25.'], ['0', 'A whole number from 1 to 24; not 0.']]) {
    fireEvent.change(layers, { target: { value: typed } })
    expect(sent(), typed).toBeNull()
    expect(form?.errors.lora_num_layers).toBe(said)
  }
  // Also one of the list's numbers can be typed, on the way to another.
  for (const typed of ['8', '5']) {
    fireEvent.change(layers, { target: { value: typed } })
    expect(sent()?.lora_num_layers).toBe(Number(typed))
  }
  fireEvent.change(labelled('Layer coverage'), { target: { value: '-1' } })
  expect(sent()?.lora_num_layers).toBe(-1)
  expect(screen.queryByLabelText('Number of last layers')).toBeNull()
})

test('full weights are told as the blocks they are: no matrices to choose, and the layers counted', () => {
  show()
  fireEvent.change(labelled('Fine-tuning type'), { target: { value: 'full' } })
  fireEvent.change(labelled('Layer coverage'), { target: { value: '8' } })
  expect(screen.getByText(/Every weight of the covered layers is trained/).textContent).toContain('stay frozen')
  expect(screen.queryByLabelText('Attention')).toBeNull()
  expect(screen.getByRole('img', { name: /^7 matrices .* in the last 8 of 24 layers/ })).toBeTruthy()
  expect(sent()).toMatchObject({ fine_tune_type: 'full', lora_num_layers: 8 })
})

test('each preset and each group says what it would train, and follows the rank', () => {
  show()
  const figure = (title: string) => labelled(title).closest('label')?.querySelector('span')?.textContent
  expect([figure('Full'), figure('Attention'), figure('MLP'), figure('Q + V')]).toEqual(['17.596M', '4.325M', '13.271M', '2.163M'])
  expect(screen.getByText('MLP 3 · 13.271M')).toBeTruthy()
  fireEvent.change(labelled('Rank'), { target: { value: '16' } })
  expect(figure('Full')).toBe('8.798M')
  fireEvent.click(labelled('Custom…'))
  fireEvent.click(labelled('self_attn.o_proj'))
  expect(screen.getByText(/attention · 3 of 4 · .* trainable/)).toBeTruthy()
})

test('a preset that this model has no module for is not offered, unless it is chosen', () => {
  show({ targets: { ...TARGETS, presets: { ...TARGETS.presets, mlp: [] } } })
  expect(screen.queryByLabelText('MLP')).toBeNull()
  act(() => form?.set('lora_keys', 'mlp'))
  expect(labelled('MLP')).toHaveProperty('checked', true)
})

test('a list of one’s own starts with what the preset covered', () => {
  show()
  fireEvent.click(labelled('Q + V'))
  fireEvent.click(labelled('Custom…'))
  fireEvent.click(labelled('mlp.up_proj'))
  expect(sent()?.lora_keys).toEqual(['self_attn.q_proj', 'self_attn.v_proj', 'mlp.up_proj'])
})

test('a name of another model stands in the list, and can be taken out', () => {
  show({ edits: { lora_keys: ['mlp.up_proj', 'attn.c_attn'] } })
  expect(sent()?.lora_keys).toEqual(['mlp.up_proj', 'attn.c_attn'])
  fireEvent.click(labelled(/attn.c_attn/))
  expect(sent()?.lora_keys).toEqual(['mlp.up_proj'])
})
