import { cleanup, screen, within } from '@testing-library/react'
import { expect, test, vi } from 'vitest'

import type { RunMetrics, SampleData, TrainingStateData } from '@/api/frames'
import { NO_RUN, reduceFrame, type RunView } from '@/run/reducer/runReducer'
import { LogBook } from '@/run/log/logBook'
import { RunSeries } from '@/run/series/series'
import { FrameMaker } from '@/test/fakeServer'
import { renderRoute } from '@/test/renderRoute'
import { figuresOf } from './cards'
import { TrainingPage } from './TrainingPage'

vi.setConfig({ testTimeout: 30_000 })
vi.mock('@/ui/chart/chartPlot', () => ({
  createPlot: () => ({
    update: () => undefined,
    resize: () => undefined,
    repaint: () => undefined,
    step: () => undefined,
    picture: () => document.createElement('canvas'),
    destroy: () => undefined,
  }),
}))

const run: RunView = { ...NO_RUN, sessionId: 'r', state: 'running', method: 'gspo', at: 1 }
const metrics: RunMetrics = {
  method: 'gspo',
  avg_reward: 0.6125,
  reward_std: 0.2,
  val_reward: 0.55,
  val_reward_std: 0.1,
  group_reward: 0.61,
  success_rate: 0.25,
  kl: 0.0123,
  clip_ratio: 0.031,
  clip_ratio_low: 0.03,
  clip_ratio_high: 0.001,
  completion_length_mean: 24.5,
  completion_length_min: 3,
  completion_length_max: 64,
  hit_max_tokens_ratio: 0.5,
  train_loss: 0.001,
}
const series = {
  train: { step: [10, 20], train_loss: [0, 0.001], avg_reward: [0.5, 0.6125], 'reward/token_f1': [0.4, 0.6], kl: [0, 0.0123] },
  validation: { step: [20], val_reward: [0.55] },
  best: { step: 20, value: 0.55, metric: 'val_reward', path: '/b' },
} as const
const sample: SampleData = {
  step: 20,
  prompt: 'Capital of <b>France</b>?',
  text: 'Paris.',
  answer: 'Paris',
  rewards: { token_f1: 1, 'length_window(2;8)': null },
  total: 1,
  split: 'train',
}

function show(data: Partial<TrainingStateData>) {
  const frames = [new FrameMaker().snapshot({ config: { adapter_name: 'tiny', training_method: 'gspo' }, metrics, ...data })]
  renderRoute(<TrainingPage stores={{ series: RunSeries.from(data.series ?? {}), log: LogBook.from([]) }} />, { frames })
}

test('a run by rewards shows what it is judged by, and what the engine does not give as unknown', () => {
  const best = { ...series.best, val_loss: null }
  const figures = figuresOf({ ...run, metrics, best }, RunSeries.from({ train: { ...series.train }, validation: series.validation, best } as never), null)
  const shown = Object.fromEntries(figures.map(({ label, value, note }) => [label, [value, note]]))
  expect(shown).toMatchObject({
    Reward: ['0.613', '± 0.2'],
    'Validation reward': ['0.55', '± 0.1'],
    'Best validation reward': ['0.55', 'iteration 20 · saved'],
    Success: ['25 %', ''],
    Entropy: ['—', ''],
    'Clip ratio': ['3.1 %', 'low 3.0 % · high 0.1 %'],
    'Completion length': ['24.5', '3–64 tokens'],
    'At the limit': ['50 %', 'completions cut off'],
  })
  expect(shown['Train loss']?.[1]).toBe('not a quality metric')
})

test('a run by preferences shows accuracy and margin beside its losses', () => {
  const figures = figuresOf({ ...run, method: 'dpo', metrics: { accuracy: 0.75, margin: 0.5, train_loss: 0.6 } }, new RunSeries(), null)
  const shown = Object.fromEntries(figures.map(({ label, value }) => [label, value]))
  expect(shown).toMatchObject({ Accuracy: '75 %', 'Validation accuracy': '—', Margin: '0.5', 'Train loss': '0.600' })
})

test('the page of a run by rewards has a curve for each function and a note about the loss', () => {
  show({ state: 'running', series: series as never })
  for (const name of ['Reward', 'Reward by function', 'KL to the reference', 'Completion length']) {
    expect(screen.getByRole('heading', { level: 2, name })).toBeTruthy()
  }
  const functions = within(screen.getByRole('region', { name: 'Reward by function' }))
  expect(functions.getByText('token_f1')).toBeTruthy()
  expect(screen.getByText('Not a quality metric here; see the reward.')).toBeTruthy()
})

test('what a method measures beside has a curve, and what it does not has no empty card', () => {
  show({ state: 'running', series: series as never })
  const titles = ['Success and cut off', 'Clipped', 'Entropy']
  for (const name of titles) expect(screen.queryByRole('heading', { level: 2, name })).toBeNull()
  const legend = within(screen.getByRole('region', { name: 'Reward' }))
  expect(legend.queryByText('± one deviation')).toBeNull()
  cleanup()
  const train = { ...series.train, success_rate: [0.1, 0.25], hit_max_tokens_ratio: [1, 0.5], clip_ratio_low: [0, 0.031], clip_ratio_high: [0, 0.001], entropy: [2, 1.5], reward_std: [0.3, 0.2], group_reward: [0.5, 0.61] }
  show({ state: 'running', series: { ...series, train } as never })
  const values = titles.map((name) => within(screen.getByRole('region', { name })).getAllByRole('listitem').map((item) => item.textContent))
  expect(values).toEqual([['success25 %', 'cut off at the limit50 %'], ['low3.1 %', 'high0.1 %'], ['entropy1.5']])
  const reward = within(screen.getByRole('region', { name: 'Reward' }))
  expect(reward.getByText('± one deviation')).toBeTruthy()
  expect(reward.getByText('group mean')).toBeTruthy()
})

test('a sample shows what was asked, what came, and each score; its text is never HTML', () => {
  show({ state: 'running', series: series as never, samples: [sample] })
  const card = within(screen.getByRole('region', { name: 'Sample completions' }))
  expect(card.getByText('Capital of <b>France</b>?')).toBeTruthy()
  expect(card.getByText('Paris.')).toBeTruthy()
  expect(card.getByText('token_f1').nextElementSibling?.textContent).toBe('1')
  expect(card.getByText('length_window(2;8)').nextElementSibling?.textContent).toBe('—')
})

test('samples come one by one, and only the last are kept', () => {
  const make = new FrameMaker('e', 'r')
  let view = run
  for (let step = 0; step < 30; step += 1) {
    view = reduceFrame(view, make.make('training_sample', { ...sample, step }), 2)
  }
  expect(view.samples.length).toBe(24)
  expect(view.samples.at(-1)?.step).toBe(29)
})
