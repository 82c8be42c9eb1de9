/** What the large chart shows: the number by which a run of this kind is judged. */
import type { BestMetric } from '@/run/series/best'
import { compact, loss } from '@/lib/format'
import type { RunKind } from '@/run/series/runKind'
import type { TrainColumn, ValidationColumn } from '@/run/series/series'

export type MainCurve = {
  readonly title: string
  /** In the middle of a sentence. */
  readonly noun: string
  readonly column: TrainColumn
  readonly validation: ValidationColumn
  /** How far single values stand from `column`, above and below. */
  readonly spread?: TrainColumn
  /** A second curve in the same unit. */
  readonly beside?: { readonly column: TrainColumn; readonly label: string }
  readonly metric: BestMetric
  readonly format: (value: number | null) => string
  /** Only what is never negative can have a logarithmic axis. */
  readonly canLog: boolean
}

const LOSS: MainCurve = {
  title: 'Loss',
  noun: 'loss',
  column: 'train_loss',
  validation: 'val_loss',
  metric: 'val_loss',
  format: loss,
  canLog: true,
}

const REWARD: MainCurve = {
  title: 'Reward',
  noun: 'reward',
  column: 'avg_reward',
  validation: 'val_reward',
  spread: 'reward_std',
  beside: { column: 'group_reward', label: 'group mean' },
  metric: 'val_reward',
  format: (value) => compact(value, 3),
  canLog: false,
}

export function mainCurve(kind: RunKind): MainCurve {
  return kind === 'reward' ? REWARD : LOSS
}
