/**
 * The curves of one run, outside Redux: charts read the typed columns themselves, and a new point
 * costs no render. The same class holds a live run and a saved one.
 */

import type { BestMetric } from './best'
import { Columns } from './columns'
import { indexAtOrBefore } from '@/lib/smooth'
import { Notifier } from '@/lib/notifier'

const TRAIN = [
  'step',
  'train_loss',
  'learning_rate',
  'iterations_per_second',
  'tokens_per_second',
  'peak_memory_gb',
  'trained_tokens',
  'epoch',
] as const
const VALIDATION = ['step', 'val_loss', 'val_time'] as const

/** What a run by rewards or by preferences has beside; a column is there once it has a value. */
type RewardColumn =
  | 'grad_norm'
  | 'avg_reward'
  | 'reward_std'
  | 'group_reward'
  | 'kl'
  | 'entropy'
  | 'success_rate'
  | 'clip_ratio'
  | 'clip_ratio_low'
  | 'clip_ratio_high'
  | 'completion_length_mean'
  | 'completion_length_min'
  | 'completion_length_max'
  | 'hit_max_tokens_ratio'
  | 'rewards_chosen'
  | 'rewards_rejected'
  | 'margin'
  | 'accuracy'
  | `reward/${string}`
type ValidationRewardColumn =
  | 'val_reward'
  | 'val_success_rate'
  | 'val_kl'
  | 'val_completion_length'
  | 'val_accuracy'
  | 'val_margin'
  | 'val_rewards_chosen'
  | 'val_rewards_rejected'
  | `val_reward/${string}`

export type TrainColumn = (typeof TRAIN)[number] | RewardColumn
export type ValidationColumn = (typeof VALIDATION)[number] | ValidationRewardColumn
/** The best adapter's step, and its value by the metric that the run goes by (validation loss unless said). */
export type BestPoint = { readonly step: number; readonly value: number; readonly metric?: BestMetric }

/** As the server sends it: columns of equal length. */
export type SeriesData = {
  readonly train?: { readonly [column: string]: readonly (number | null)[] }
  readonly validation?: { readonly [column: string]: readonly (number | null)[] }
  readonly checkpoints?: readonly number[]
  readonly best?: BestPoint | null
}

export type SeriesPoint = {
  readonly kind: 'train' | 'validation'
  readonly values: { readonly [column: string]: number | null }
}

export class RunSeries extends Notifier {
  readonly train = new Columns<TrainColumn>(TRAIN, 'step', true)
  readonly validation = new Columns<ValidationColumn>(VALIDATION, 'step', true)
  checkpoints: readonly number[] = []
  best: BestPoint | null = null

  static from(data: SeriesData): RunSeries {
    const series = new RunSeries()
    series.replace(data)
    return series
  }

  replace(data: SeriesData): void {
    this.train.replace(data.train ?? {})
    this.validation.replace(data.validation ?? {})
    this.checkpoints = [...(data.checkpoints ?? [])]
    this.best = data.best ?? null
    this.changed()
  }

  append(point: SeriesPoint): void {
    const table: { append: (row: SeriesPoint['values']) => boolean } =
      point.kind === 'train' ? this.train : this.validation
    if (table.append(point.values)) this.changed()
  }

  markCheckpoint(step: number): void {
    if (this.checkpoints.includes(step)) return
    this.checkpoints = [...this.checkpoints, step]
    this.changed()
  }

  markBest(best: BestPoint): void {
    this.best = best
    this.changed()
  }

  clear(): void {
    this.replace({})
  }
}

/** The best adapter, if it is called so by this metric. */
export function bestBy({ best }: RunSeries, metric: BestMetric): BestPoint | null {
  return (best?.metric ?? 'val_loss') === metric ? best : null
}

/** How many evaluations came after the best one; null before there is a best. */
export function evaluationsSinceBest(series: RunSeries): number | null {
  if (!series.best) return null
  const steps = series.validation.column('step')
  return steps.length - 1 - indexAtOrBefore(steps, series.best.step)
}

/** The reward functions that have a curve, in the order they came. */
export function rewardFunctions({ train }: RunSeries): readonly string[] {
  return train.keys.filter((key) => key.startsWith(REWARD)).map((key) => key.slice(REWARD.length))
}

const REWARD = 'reward/'

/** Change of the newest value against the one before; null until there are two. */
export function lastChange(series: RunSeries, column: TrainColumn): number | null {
  const now = series.train.last(column)
  const before = series.train.last(column, 1)
  return now === null || before === null ? null : now - before
}
