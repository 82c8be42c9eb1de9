import { expect, test } from 'vitest'
import { coveredBlocks, coveredKeys, effectiveScale, notesOf, peftAlpha, trainableParameters, unknownNames } from './lora'
import { inWords } from './MatrixCoverage'
import { TARGETS } from '@/test/formSamples'

const sizes = (choice: string | readonly string[], rank: number, coverage = -1) =>
  trainableParameters(TARGETS, coveredKeys(TARGETS, choice), { rank, coverage })

test('Qwen2.5-0.5B at rank 32 gives 17.596M, 3.562 %', () => {
  expect(sizes('full', 32)).toBe(17_596_416)
  expect(((sizes('full', 32) / (TARGETS.total_parameters ?? 0)) * 100).toFixed(3)).toBe('3.562')
})

test('layers, rank and matrices scale it', () => {
  expect(sizes('full', 32, 8)).toBe(17_596_416 / 3)
  expect(sizes('full', 16)).toBe(17_596_416 / 2)
  expect(sizes('attention', 32) + sizes('mlp', 32)).toBe(17_596_416)
  expect(sizes(['self_attn.q_proj'], 1)).toBe(1792 * 24)
  expect(sizes([], 32)).toBe(0)
})

test('a matrix that only some blocks have counts only there', () => {
  const [first] = TARGETS.keys
  if (!first) throw new Error('no key')
  const rare = { ...first, layers: [0, 23], modules: 2 }
  expect(coveredBlocks(TARGETS, rare, 8)).toEqual([23])
  expect(trainableParameters(TARGETS, [rare], { rank: 1, coverage: 8 })).toBe(1792)
  const uneven = { ...rare, sizes: [[10, 10, 1], [5, 5, 4]] }
  expect(trainableParameters(TARGETS, [uneven], { rank: 2, coverage: -1 })).toBe(2 * 20 + 2 * 10 * 4)
})

test('the scaling rules, and the alpha that says the same in PEFT', () => {
  expect(effectiveScale({ rule: 'mlx', alpha: 32, rank: 32 })).toBe(32)
  expect(peftAlpha({ rule: 'mlx', alpha: 32, rank: 32 })).toBe(1024)
  expect(effectiveScale({ rule: 'alpha_over_rank', alpha: 32, rank: 16 })).toBe(2)
  expect(effectiveScale({ rule: 'rslora', alpha: 32, rank: 16 })).toBe(8)
})

test('the picture can be read out', () => {
  const covered = coveredKeys(TARGETS, 'qv')
  expect(inWords({ targets: TARGETS, covered, coverage: 8 })).toBe(
    '2 matrices (2 attention) in the last 8 of 24 layers: self_attn.q_proj, self_attn.v_proj.',
  )
})

test('listed names that match nothing are warned of, other notes are remarks', () => {
  const notes = ['linear_attn.dt_bias is listed for qwen3_next, but is no matrix.', '48 layers is an unusual depth.']
  const known = { ...TARGETS, unmatched_seed_keys: ['linear_attn.dt_bias'], notes }
  expect(notesOf(known)).toEqual({ warnings: [notes[0]], remarks: [notes[1]] })
  const unread = { ...TARGETS, keys: [], notes: ['The modules of this model could not be read.'] }
  expect(notesOf(unread)).toEqual({ warnings: unread.notes, remarks: [] })
})

test('a chosen name that this model lacks is found', () => {
  expect(unknownNames(TARGETS, ['self_attn.q_proj', 'attn.c_attn'])).toEqual(['attn.c_attn'])
})
