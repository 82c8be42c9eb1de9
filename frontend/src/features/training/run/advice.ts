/** What the curves say that no single number says. Pure. */
import { plural } from '@/lib/format'
import { bestBy, evaluationsSinceBest, type RunSeries } from '@/run/series/series'
import { indexAtOrBefore } from '@/lib/smooth'

export type Advice = { readonly title: string; readonly text: string }
type Rules = { readonly earlyStop: boolean; readonly patience: number | null; readonly live: boolean }

/** Validation must have risen by this share before it is called a rise. */
const RISE = 0.01

/** Validation rises while training falls: the model learns its examples by heart. */
export function overFitting(series: RunSeries, rules: Rules): Advice | null {
  const since = evaluationsSinceBest(series)
  const latest = series.validation.last('val_loss')
  const best = bestBy(series, 'val_loss')
  if (!best || since === null || since < 1 || latest === null) return null
  if (latest < best.value * (1 + RISE)) return null
  const then = trainLossNear(series, best.step)
  const now = meanOfLast(series, 5)
  if (then === null || now === null || now >= then) return null
  const rise = `Validation loss has risen since ${best.step.toLocaleString('en-US')} while train loss falls.`
  return { title: 'Overfitting', text: `${rise} ${whatFollows(rules, since)}` }
}

function whatFollows({ live, earlyStop, patience }: Rules, since: number): string {
  if (!live) return 'The best adapter, from before the rise, is saved.'
  if (!earlyStop || patience === null) return 'Early stopping is off. The best adapter is saved, so you can stop now.'
  const left = patience - since
  if (left <= 0) return 'It is about to stop automatically. The best adapter is saved.'
  return `It stops automatically after ${plural(left, 'more evaluation')} without improvement. The best adapter is saved.`
}

function trainLossNear(series: RunSeries, step: number): number | null {
  const index = indexAtOrBefore(series.train.column('step'), step)
  return mean(series.train.column('train_loss').slice(Math.max(0, index - 4), index + 1))
}

function meanOfLast(series: RunSeries, points: number): number | null {
  return mean(series.train.column('train_loss').slice(-points))
}

function mean(values: Float64Array): number | null {
  const known = values.filter((value) => !Number.isNaN(value))
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length
}
