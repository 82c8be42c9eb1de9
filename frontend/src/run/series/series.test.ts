import { expect, test, vi } from 'vitest'

import { evaluationsSinceBest, lastChange, rewardFunctions, RunSeries } from './series'
import { seriesCsv, seriesRows, thinRows } from './seriesTable'

const point = (step: number, train_loss: number | null) =>
  ({ kind: 'train', values: { step, train_loss } }) as const
const evaluation = (step: number, val_loss: number | null) =>
  ({ kind: 'validation', values: { step, val_loss } }) as const

test('points are appended in order and read as typed columns', () => {
  const series = new RunSeries()
  for (let step = 1; step <= 1000; step += 1) series.append(point(step, 1 / step))
  expect(series.train.length).toBe(1000)
  expect(series.train.column('step')).toBeInstanceOf(Float64Array)
  expect(series.train.last('train_loss')).toBeCloseTo(0.001)
  expect(series.train.hasGaps('train_loss')).toBe(false)
})

test('a point older than the last is not taken, the same step completes its row', () => {
  const series = new RunSeries()
  series.append(point(10, 2))
  series.append(point(5, 9))
  series.append({ kind: 'train', values: { step: 10, learning_rate: 1e-4 } })
  expect([...series.train.column('step')]).toEqual([10])
  expect(series.train.last('train_loss')).toBe(2)
  expect(series.train.last('learning_rate')).toBe(1e-4)
})

test('an unknown value is null outside, never 0', () => {
  const series = RunSeries.from({ train: { step: [1, 2], train_loss: [null, 1] } })
  expect(series.train.value('train_loss', 0)).toBeNull()
  expect(series.train.value('tokens_per_second', 1)).toBeNull()
  expect(series.train.hasGaps('train_loss')).toBe(true)
})

test('a snapshot takes the place of everything', () => {
  const series = RunSeries.from({ train: { step: [1], train_loss: [9] }, checkpoints: [1] })
  series.replace({ validation: { step: [4], val_loss: [2] }, best: { step: 4, value: 2 } })
  expect(series.train.length).toBe(0)
  expect(series.checkpoints).toEqual([])
  expect(series.validation.last('val_loss')).toBe(2)
  expect(series.best?.step).toBe(4)
})

test('listeners hear of a change, and not of a point that was refused', () => {
  const series = RunSeries.from({ train: { step: [10], train_loss: [1] } })
  const heard = vi.fn()
  const stop = series.subscribe(heard)
  series.append(point(3, 1))
  expect(heard).not.toHaveBeenCalled()
  series.append(point(11, 1))
  series.markCheckpoint(11)
  series.markCheckpoint(11)
  expect(heard).toHaveBeenCalledTimes(2)
  stop()
  series.append(point(12, 1))
  expect(heard).toHaveBeenCalledTimes(2)
})

test('evaluations without gain are counted from the best one', () => {
  const series = RunSeries.from({ validation: { step: [1, 100, 200, 300], val_loss: [3, 1, 1.2, 1.3] } })
  expect(evaluationsSinceBest(series)).toBeNull()
  series.markBest({ step: 100, value: 1 })
  expect(evaluationsSinceBest(series)).toBe(2)
})

test('the last change needs two reports', () => {
  const series = RunSeries.from({ train: { step: [1], train_loss: [2] } })
  expect(lastChange(series, 'train_loss')).toBeNull()
  series.append(point(2, 1.5))
  expect(lastChange(series, 'train_loss')).toBeCloseTo(-0.5)
})

test('the table merges reports and evaluations by iteration; unknown is an empty cell', () => {
  const series = RunSeries.from({ train: { step: [10, 20], train_loss: [2, 1] } })
  series.append(evaluation(1, 3))
  series.append(evaluation(20, 1.5))
  expect(seriesRows(series).map((row) => [row.step, row.train_loss, row.val_loss])).toEqual([
    [1, null, 3],
    [10, 2, null],
    [20, 1, 1.5],
  ])
  expect(seriesCsv(series).split('\n')[1]).toBe('1,,3,,,,,,')
})

test('a thinned table keeps evaluations and the last row', () => {
  const steps = Array.from({ length: 5000 }, (_, i) => i + 1)
  const series = RunSeries.from({ train: { step: steps, train_loss: steps.map(() => 1) } })
  series.replace({
    train: { step: steps, train_loss: steps.map(() => 1) },
    validation: { step: [777], val_loss: [2] },
  })
  const rows = thinRows(seriesRows(series), 200)
  expect(rows.length).toBeLessThanOrEqual(210)
  expect(rows.at(-1)?.step).toBe(5000)
  expect(rows.some((row) => row.step === 777)).toBe(true)
})

test('a method brings columns of its own, unknown for the reports before', () => {
  const series = RunSeries.from({ train: { step: [1], train_loss: [0], clip_ratio: [null] } })
  expect(series.train.has('clip_ratio')).toBe(false)
  series.append({ kind: 'train', values: { step: 2, train_loss: 0, avg_reward: 0.5, 'reward/token_f1': 0.4 } })
  series.append({ kind: 'validation', values: { step: 2, val_reward: 0.6 } })
  expect([...series.train.column('avg_reward')]).toEqual([NaN, 0.5])
  expect(rewardFunctions(series)).toEqual(['token_f1'])
  expect(series.validation.last('val_reward')).toBe(0.6)
  series.clear()
  expect(series.train.has('avg_reward')).toBe(false)
  expect([...series.train.column('avg_reward')]).toEqual([])
})

test('rewards stand in the table and in the CSV, behind what every run has', () => {
  const series = RunSeries.from({
    train: { step: [1, 2], train_loss: [0, 0], elapsed_seconds: [1, 2], avg_reward: [0.5, 0.75], 'reward/length_window(2,8)': [1, null] },
    validation: { step: [2], val_reward: [0.6] },
  })
  expect(seriesRows(series)[1]?.more).toEqual({ avg_reward: 0.75, 'reward/length_window(2,8)': null, val_reward: 0.6 })
  expect(seriesCsv(series).split('\n').map((line) => line.split(',').slice(9).join(','))).toEqual([
    'avg_reward,"reward/length_window(2,8)",val_reward',
    '0.5,1,',
    '0.75,,0.6',
    '',
  ])
})
