/** By which number a run calls an adapter its best, in words. */
import { compact, loss, percent } from '@/lib/format'

export type BestMetric = 'val_loss' | 'val_reward' | 'val_accuracy'

const WORDS: Readonly<Record<BestMetric, string>> = {
  val_loss: 'validation loss',
  val_reward: 'validation reward',
  val_accuracy: 'validation accuracy',
}

export function isBestMetric(value: unknown): value is BestMetric {
  return typeof value === 'string' && value in WORDS
}

/** A run that names none goes by its validation loss. */
export function metricWords(metric: BestMetric | null | undefined): string {
  return WORDS[metric ?? 'val_loss']
}

/** The value as its kind is written: a loss with fixed digits, an accuracy in percent. */
export function bestWords(metric: BestMetric | null | undefined, value: number | null | undefined): string {
  switch (metric ?? 'val_loss') {
    case 'val_loss':
      return loss(value)
    case 'val_reward':
      return compact(value)
    case 'val_accuracy':
      return percent(value == null ? null : value * 100)
  }
}
