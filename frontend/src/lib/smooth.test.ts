import { expect, test } from 'vitest'

import { clippedExtent, extent, indexAtOrBefore, smooth, weightFor } from './smooth'

test('weight 0 is the raw curve', () => {
  expect([...smooth([3, 1, 2], 0)]).toEqual([3, 1, 2])
})

test('the first point is not pulled towards zero, and a flat curve stays flat', () => {
  const flat = smooth([2, 2, 2, 2], 0.9)
  for (const value of flat) expect(value).toBeCloseTo(2, 12)
})

test('a step is followed slowly, between the old and the new value', () => {
  const out = smooth([...Array<number>(50).fill(1), ...Array<number>(50).fill(0)], 0.8)
  expect(out[50]).toBeGreaterThan(0.7)
  expect(out[99]).toBeLessThan(0.01)
})

test('a gap stays a gap and does not disturb what follows', () => {
  const out = smooth([1, NaN, 1], 0.5)
  expect(out[0]).toBeCloseTo(1)
  expect(out[1]).toBeNaN()
  expect(out[2]).toBeCloseTo(1)
})

test('it writes into the room it is given', () => {
  const room = new Float64Array(8)
  expect(smooth([1, 2], 0, room).buffer).toBe(room.buffer)
})

test('the extent leaves out gaps and knows when there is nothing', () => {
  expect(extent([NaN, 2, -1, NaN])).toEqual([-1, 2])
  expect(extent([NaN])).toBeNull()
  expect(extent([5, 1, 9], 1, 2)).toEqual([1, 1])
})

test('one wild value in a hundred does not set the clipped range', () => {
  const column = Array.from({ length: 200 }, (_, i) => 1 + (i % 10) / 10)
  column[70] = 1000
  expect(clippedExtent(column)?.[1]).toBeLessThan(3)
  expect(clippedExtent([1, 1000])).toEqual([1, 1000])
})

test('the entry at or before a place is found by halving', () => {
  const column = [10, 20, 20, 30]
  expect([5, 10, 19, 20, 29, 99].map((x) => indexAtOrBefore(column, x))).toEqual([-1, 0, 0, 2, 2, 3])
  expect(indexAtOrBefore([], 1)).toBe(-1)
})

test('a weight reaches over the same share of the picture, however many points there are', () => {
  expect(weightFor(0.8, 300)).toBe(0.8)
  expect(weightFor(0.8, 30_000) ** 100).toBeCloseTo(0.8)
  expect(weightFor(0.8, 20)).toBeLessThan(0.05)
  expect(weightFor(0, 100_000)).toBe(0)
})
