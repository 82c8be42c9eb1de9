/** By which number a run calls an adapter its best, in words. */
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
