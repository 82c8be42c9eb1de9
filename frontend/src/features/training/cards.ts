/** The figures of a run and what each means, in words. Pure, so the words are tested. */
import { numberOf, textOf } from '@/api/runConfig'
import type { RunView } from '@/api/runReducer'
import { compact, count, gigabytes, loss, plural, UNKNOWN } from '@/lib/format'
import { evaluationsSinceBest, lastChange, type RunSeries } from '@/lib/series'

export type Figure = { readonly label: string; readonly value: string; readonly note: string }

/** `memoryLimit` in bytes: what the engine may use on this machine, null when unknown. */
export function figuresOf(run: RunView, series: RunSeries, memoryLimit: number | null): readonly Figure[] {
  const { metrics } = run
  const best = run.best
  return [
    { label: 'Train loss', value: loss(metrics.train_loss), note: changeWords(lastChange(series, 'train_loss')) },
    { label: 'Validation loss', value: loss(metrics.val_loss), note: gainWords(run, series) },
    {
      label: 'Best',
      value: loss(best?.value ?? metrics.best_value),
      note: best ? `at ${count(best.step)} · kept` : '',
    },
    { label: 'Learning rate', value: compact(metrics.learning_rate, 2), note: scheduleWords(run) },
    { label: 'Throughput', value: speedOf(metrics.tokens_per_second), note: pace(metrics.iterations_per_second) },
    {
      label: 'Memory',
      value: gigabytes(metrics.peak_memory_gb),
      note: memoryLimit === null ? 'peak' : `peak · of ${(memoryLimit / 1e9).toFixed(1)} GB`,
    },
  ]
}

function changeWords(change: number | null): string {
  if (change === null) return ''
  const size = loss(Math.abs(change))
  if (Number(size) === 0) return 'unchanged'
  return change < 0 ? `▼ ${size}` : `▲ ${size}`
}

function gainWords(run: RunView, series: RunSeries): string {
  const since = evaluationsSinceBest(series)
  if (since === null) return run.metrics.val_loss == null ? 'not evaluated yet' : ''
  if (since === 0) return 'the best so far'
  const patience = run.config?.['early_stop'] === true ? numberOf(run.config, 'patience') : null
  if (patience !== null) return `${count(since)} of ${count(patience)} without gain`
  return `${plural(since, 'evaluation')} without gain`
}

function scheduleWords(run: RunView): string {
  const schedule = textOf(run.config, 'lr_schedule')
  const warmup = numberOf(run.config, 'warmup_steps') ?? 0
  return [schedule, warmup > 0 ? `${count(warmup)} warm-up` : null].filter(Boolean).join(' · ')
}

function speedOf(value: number | null | undefined): string {
  return value == null ? UNKNOWN : value >= 100 ? count(value) : compact(value, 3)
}

function pace(value: number | null | undefined): string {
  return value == null ? 'tokens/s' : `tokens/s · ${compact(value, 2)} it/s`
}
