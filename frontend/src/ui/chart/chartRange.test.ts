import { expect, test } from 'vitest'

import { axisValues, clampView, fullRange, logSplits, yRange } from './chartRange'
import type { ChartData, ChartStyle } from './chartTypes'

const style: ChartStyle = {
  minHeight: 100,
  xLabel: 'Iteration',
  lines: [{ label: 'train', color: 'x', format: String, quiet: true }],
}
const data = (x: number[], y: number[], points?: [number[], number[]]): ChartData => ({
  x: Float64Array.from(x),
  lines: [Float64Array.from(y)],
  ...(points ? { points: { x: Float64Array.from(points[0]), y: Float64Array.from(points[1]) } } : {}),
})

test('the axis reaches to the planned end, or to the data where it is longer', () => {
  expect(fullRange(data([1, 50], [1, 1]), 200)).toEqual([0, 200])
  expect(fullRange(data([1, 250], [1, 1]), 200)).toEqual([0, 250])
  expect(fullRange(data([], []), null)).toEqual([0, 1])
  expect(fullRange(data([], [], [[300], [2]]), null)).toEqual([0, 300])
})

test('a window stays inside the whole, and the whole is no window', () => {
  expect(clampView([-50, 50], [0, 100])).toBeNull()
  expect(clampView([-10, 40], [0, 100])).toEqual([0, 50])
  expect(clampView([80, 130], [0, 100])).toEqual([50, 100])
  expect(clampView([20, 60], [0, 100])).toEqual([20, 60])
  expect(clampView([50, 50], [0, 1000])).toEqual([49, 51])
})

test('only what is visible sets the y range', () => {
  const [low, high] = yRange(data([1, 2, 3, 4], [100, 2, 1, 1]), style, [2, 4])
  expect(low).toBeGreaterThanOrEqual(0)
  expect(high).toBeLessThan(3)
})

test('points outside the line are in the picture', () => {
  expect(yRange(data([1, 2], [1, 1], [[1], [5]]), style, [0, 2])[1]).toBeGreaterThan(5)
})

test('clipping leaves out one wild value of the raw line', () => {
  const values = Array.from({ length: 300 }, (_, i) => 1 + (i % 7) / 10)
  values[100] = 500
  const wild = data(values.map((_, i) => i), values)
  expect(yRange(wild, style, [0, 300])[1]).toBeGreaterThan(500)
  expect(yRange(wild, { ...style, clip: true }, [0, 300])[1]).toBeLessThan(3)
})

test('a log axis has no zero, whatever the data', () => {
  const log = { ...style, log: true }
  expect(yRange(data([1, 2, 3], [0, 1, 10]), log, [0, 3])[0]).toBeGreaterThan(0)
  expect(yRange(data([1], [0]), log, [0, 1])[0]).toBeGreaterThan(0)
  expect(yRange(data([], []), log, [0, 1])).toEqual([0.1, 1])
})

test('a flat line and an unknown one still give a range', () => {
  const [low, high] = yRange(data([1, 2], [3, 3]), style, [0, 2])
  expect(low).toBeLessThan(3)
  expect(high).toBeGreaterThan(3)
  expect(yRange(data([1], [NaN]), style, [0, 1])).toEqual([0, 1])
})

test('axis labels have the decimals of the finest, and no binary noise', () => {
  expect(axisValues([0, 0.5, 1], false)).toEqual(['0.0', '0.5', '1.0'])
  expect(axisValues([0.1, 0.2, 0.30000000000000004], false)).toEqual(['0.1', '0.2', '0.3'])
  expect(axisValues([1, null, 2], false)).toEqual(['1', '', '2'])
  expect(axisValues([0.00001, 0.1, 1], true)).toEqual(['1e-5', '0.1', '1'])
})

test('a log axis has round lines, in a wide range and in a narrow one', () => {
  expect(logSplits(0.3, 3)).toEqual([0.5, 1, 2])
  expect(logSplits(0.00009, 20)).toEqual([0.0001, 0.001, 0.01, 0.1, 1, 10])
  const narrow = logSplits(0.42, 0.48)
  expect(narrow).toHaveLength(4)
  for (const split of narrow) expect(String(split).length).toBeLessThanOrEqual(5)
})
