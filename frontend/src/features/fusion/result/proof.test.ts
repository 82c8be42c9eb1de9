import { expect, test } from 'vitest'
import type { FusionResultAnswer } from '@/api/generated'
import { cautions, placeOn, rangeWords, rowWords, scaleOf, smallest } from './proof'
import { estimate, RESULT } from '@/features/fusion/samples'

test('worse than a source on its own rows is said only where the interval leaves out 0', () => {
  expect(cautions(RESULT)).toEqual([
    'both is worse than medicine alone on the held-out rows of medicine: loss 1.600 against 1.100, ' +
      'a difference of 0.500 (95 % interval 0.300 to 0.700).',
  ])
})

test('on rows of nobody every side is compared, the base too', () => {
  const { proof } = RESULT
  if (!proof) throw new Error('The sample has a proof.')
  const [set] = proof.sets
  const worse = proof.targets.map((target) => ({ ...target, sets: [{ name: 'evaluation data', loss: 1, difference: estimate(0.2) }] }))
  const result: FusionResultAnswer = {
    ...RESULT,
    proof: { ...proof, sets: [{ path: '', rows: 9, seen: null, ...set, name: 'evaluation data' }], targets: worse },
  }
  expect(cautions(result).map((text) => /worse than (\w+)/.exec(text)?.[1])).toEqual(['base', 'law', 'medicine'])
  expect(rowWords(proof)).toBe('48 held-out rows of law and medicine')
})

test('rows that two adapters share are those of both', () => {
  const { proof } = RESULT
  const [, medicine] = proof?.sets ?? []
  if (!proof || !medicine) throw new Error('The sample has a proof.')
  const differences = [-0.5, 0.4, 0.3, 0].map((mean) => ({ name: 'medicine', loss: 1, difference: estimate(mean) }))
  const targets = proof.targets.map((target, at) => ({ ...target, sets: [differences[at] ?? { name: '', loss: null, difference: null }] }))
  const result = { ...RESULT, proof: { ...proof, sets: [{ ...medicine, shared: ['law'] }], targets } }
  expect(cautions(result).map((text) => /worse than (\w+) alone on the held-out rows of medicine and law/.exec(text)?.[1])).toEqual(['law', 'medicine'])
})

test('without a proof nothing is claimed', () => {
  expect(cautions({ ...RESULT, proof: null })).toEqual([])
  expect(rangeWords(null)).toBeNull()
  expect(scaleOf([null])).toBeNull()
})

test('the best is the least of what is known, and one alone is not the best', () => {
  expect(smallest([2, null, 1, 3])).toBe(2)
  expect(smallest([null, 1])).toBeNull()
})

test('all intervals lie on one scale, also where they are points', () => {
  const scale = scaleOf([estimate(1), estimate(3)])
  expect(scale && placeOn(scale, 2)).toBeCloseTo(0.5)
  const point = scaleOf([{ mean: 1, low: null, high: null, rows: 1 }])
  expect(point && placeOn(point, 1)).toBeCloseTo(0.5)
})
