import { expect, test } from 'vitest'

import type { RunConfig } from './runReducer'
import { configGroups, methodBadge, modelName } from './runConfig'

test('the badge says the method and what it trains', () => {
  expect(methodBadge('sft', { lora_keys: 'full', fine_tune_type: 'lora' })).toBe('SFT · full-layer LoRA')
  expect(methodBadge('sft', { lora_keys: 'attention' })).toBe('SFT · attention-only LoRA')
  expect(methodBadge('sft', { lora_keys: 'full', fine_tune_type: 'dora' })).toBe('SFT · full-layer DoRA')
  expect(methodBadge('sft', { fine_tune_type: 'full' })).toBe('SFT · full fine-tuning')
  expect(methodBadge('sft', { lora_keys: ['a', 'b'] })).toBe('SFT · LoRA on 2 matrices')
})

test('a record that does not say what it trained makes no claim', () => {
  expect(methodBadge('sft', { model_path: 'x' })).toBe('SFT')
  expect(methodBadge(null, null)).toBe('')
})

test('the model is named by its folder', () => {
  expect(modelName({ model_path: '/a/b/Qwen2.5-0.5B/' })).toBe('Qwen2.5-0.5B')
  expect(modelName({})).toBe('—')
})

test('fields stand in the form’s groups with their titles, changed ones are marked', () => {
  const groups = configGroups({ lora_rank: 64, learning_rate: 1e-4, lora_num_layers: -1, batch_size: 4, seed: 0 })
  const rows = groups.flatMap((group) => group.rows)
  const row = (name: string) => rows.find((each) => each.name === name)
  expect(groups.map((group) => group.title)).toEqual(['Training', 'LoRA'])
  expect(row('lora_rank')).toMatchObject({ label: 'Rank', value: '64', changed: true })
  expect(row('learning_rate')).toMatchObject({ value: '1e-4', changed: false })
  expect(row('lora_num_layers')).toMatchObject({ value: 'All layers' })
  expect(row('batch_size')).toMatchObject({ value: '4 rows' })
})

test('what has no effect in the run is left out', () => {
  const names = (config: RunConfig) => configGroups(config).flatMap((group) => group.rows.map((row) => row.name))
  const all = { optimizer: 'adamw', beta1: null, momentum: null, relative_step: false, lr_schedule: 'cosine' }
  expect(names(all)).toEqual(['optimizer', 'beta1', 'lr_schedule'])
  expect(names({ ...all, optimizer: 'sgd' })).toEqual(['optimizer', 'momentum', 'lr_schedule'])
  expect(names({ fine_tune_type: 'full', lora_rank: 32, lora_num_layers: 4 })).toEqual(['fine_tune_type', 'lora_num_layers'])
  expect(names({ training_method: 'grpo', group_size: 4, dsla_loss: 'dpo', delta: 50 })).toEqual(['training_method', 'group_size'])
  expect(names({ seed: 1, queue: true, overwrite: true, resume_from: null, notes: 'first try' })).toEqual(['seed', 'notes'])
})

test('fields of another version are shown too, and nested values as text', () => {
  const [group] = configGroups({ new_field: { a: 1 }, nothing: null })
  expect(group?.title).toBe('Other')
  expect(group?.rows.map((row) => row.value)).toEqual(['{"a":1}', '—'])
})

test('a run with a method has its own groups and defaults', () => {
  const groups = configGroups({ training_method: 'grpo', group_size: 8, epsilon: 1e-4, learning_rate: 1e-5 })
  expect(groups.map((group) => group.title)).toEqual(['Method', 'Answers', 'Objective', 'Training'])
  const rows = groups.flatMap((group) => group.rows)
  expect(rows.filter((row) => row.changed).map((row) => row.name)).toEqual(['group_size'])
})
