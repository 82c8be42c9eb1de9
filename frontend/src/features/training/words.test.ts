import { expect, test } from 'vitest'

import { NO_RUN, type RunView } from '@/run/reducer/runReducer'
import { RunSeries } from '@/run/series/series'
import { figuresOf } from './cards'
import { phaseWords } from '@/features/training/run/phases'

const run: RunView = { ...NO_RUN, sessionId: 'r', state: 'running', at: 1 }
const curve = (loss: number[], val: number[], best: { step: number; value: number } | null = null) =>
  RunSeries.from({
    train: { step: loss.map((_, i) => (i + 1) * 100), train_loss: loss },
    validation: { step: val.map((_, i) => (i + 1) * 100), val_loss: val },
    best,
  })

test('before the first report every figure is unknown, none is zero', () => {
  const figures = figuresOf({ ...run, state: 'starting' }, new RunSeries(), null)
  expect(figures.map((figure) => figure.value)).toEqual(Array(6).fill('—'))
})

test('each figure says what it means', () => {
  const series = curve([2, 1.5], [1.4, 1.2, 1.3], { step: 200, value: 1.2 })
  const view: RunView = {
    ...run,
    best: { step: 200, value: 1.2, path: 'p' },
    config: { early_stop: true, patience: 3, lr_schedule: 'cosine', warmup_steps: 10 },
    metrics: {
      train_loss: 1.5,
      val_loss: 1.3,
      learning_rate: 4.1e-5,
      tokens_per_second: 2311.4,
      iterations_per_second: 1.2,
      peak_memory_gb: 3,
    },
  }
  expect(figuresOf(view, series, 21.3e9).map((figure) => [figure.value, figure.note])).toEqual([
    ['1.500', '▼ 0.500'],
    ['1.300', 'No improvement: 1 of 3'],
    ['1.200', 'iteration 200 · saved'],
    ['4.1e-5', 'cosine · 10 warm-up'],
    ['2,311', 'tokens/s · 1.2 it/s'],
    ['3.0 GB', 'peak · of 21.3 GB'],
  ])
})

test('the test set is shown only by a run that measured it', () => {
  const shown = figuresOf({ ...run, metrics: { test_loss: 1.1, test_perplexity: 3.004 } }, new RunSeries(), null)
  expect(shown.find(({ label }) => label === 'Test loss')).toMatchObject({ value: '1.100', note: 'perplexity 3' })
})

test('without early stopping evaluations are only counted', () => {
  const series = curve([1], [1, 2, 3], { step: 100, value: 1 })
  const note = figuresOf({ ...run, metrics: { val_loss: 3 } }, series, null)[1]?.note
  expect(note).toBe('No improvement in 2 evaluations')
})

test('a phase is said in words, and one of a newer engine as it is', () => {
  expect(phaseWords({ ...run, state: 'starting', phase: 'loading model' })).toBe('Loading the model')
  expect(phaseWords({ ...run, phase: 'brewing tea' })).toBe('brewing tea')
  expect(phaseWords({ ...run, state: 'completed', earlyStopped: true })).toBe('Stopped early')
})
