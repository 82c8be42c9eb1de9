import { expect, test } from 'vitest'
import { areEqual, equalWeights, fromNumbers, rebalanced, weightText, WHOLE } from './weights'

const sum = (weights: readonly number[]) => weights.reduce((all, each) => all + each, 0)

test('whatever is moved, the weights shown sum to 1 and the others keep their proportions', () => {
  let weights = equalWeights(3)
  expect(weights).toEqual([334, 333, 333])
  weights = rebalanced(weights, 0, 500)
  expect(weights).toEqual([500, 250, 250])
  weights = rebalanced(weights, 1, 123)
  expect(sum(weights)).toBe(WHOLE)
  expect((weights[0] ?? 0) / (weights[2] ?? 1)).toBeCloseTo(2, 1)
  for (let step = 0; step <= 20; step += 1) expect(sum(rebalanced(equalWeights(5), step % 5, step * 50))).toBe(WHOLE)
})

test('when one gives up all, the others share it equally', () => {
  expect(rebalanced([1000, 0, 0], 0, 0)).toEqual([0, 500, 500])
  expect(rebalanced([1000, 0], 0, 250)).toEqual([250, 750])
})

test('equal weights are known as such, and those of a result are scaled to 1', () => {
  expect(areEqual(equalWeights(3))).toBe(true)
  expect(areEqual([500, 250, 250])).toBe(false)
  expect(fromNumbers([0.7, 0.3])).toEqual([700, 300])
  expect(fromNumbers([2, 2])).toEqual([500, 500])
  expect(weightText(333)).toBe('0.333')
})
