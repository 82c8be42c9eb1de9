import { expect, test } from 'vitest'
import type { Inactive } from '@/api/generated'
import { METHODS } from '@/test/enhancedSamples'
import { defaultsFor } from '@/start/fields/form'
import { offReason, specsOf } from './methodSpecs'

const dr_grpo = METHODS['dr_grpo']
if (!dr_grpo) throw new Error('The samples have no dr_grpo.')

function reason(inactive: Inactive, values: Readonly<Record<string, unknown>>): string | null {
  const [first, ...others] = dr_grpo?.additional_params ?? []
  if (!dr_grpo || !first) throw new Error('The sample has no parameters.')
  const method = { ...dr_grpo, additional_params: [{ ...first, inactive }, ...others] }
  return offReason(method, first.name, values)
}

test('a parameter is off with the one value that makes it so', () => {
  const atOne: Inactive = { field: 'updates_per_rollout', equals: 1, otherwise: false, reason: 'Never clipped.' }
  expect(reason(atOne, { updates_per_rollout: 1 })).toBe('Never clipped.')
  expect(reason(atOne, { updates_per_rollout: 2 })).toBeNull()
})

test('or with any other value than the one with which it counts', () => {
  const judged: Inactive = { field: 'reward_functions', equals: '', otherwise: true, reason: 'Functions judge.' }
  expect(reason(judged, { reward_functions: '' })).toBeNull()
  expect(reason(judged, { reward_functions: 'token_f1' })).toBe('Functions judge.')
})

test('the adapter is called after the training file and the method', () => {
  const spec = specsOf(METHODS).get('dr_grpo')
  if (!spec) throw new Error('There is no form for dr_grpo.')
  const name = (path: string) => defaultsFor(spec, { model: null, file: { path, longest: null } }).adapter_name
  expect(name('/data/sums.jsonl')).toBe('sums_dr_grpo')
  expect(name('')).toBe('dr_grpo_run')
})
