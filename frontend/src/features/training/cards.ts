/** The figures of a run and what each means, in words. Pure, so the words are tested. */
import { numberOf, textOf } from '@/run/reducer/runConfig'
import type { RunMetrics } from '@/api/frames'
import type { RunView } from '@/run/reducer/runReducer'
import { bestWords, metricWords } from '@/run/series/best'
import { compact, count, gigabytes, loss, plural, UNKNOWN } from '@/lib/format'
import { perplexityWords, preferenceFigures, rewardFigures, type Figure } from '@/run/series/methodFigures'
import { runKind } from '@/run/series/runKind'
import { evaluationsSinceBest, lastChange, type RunSeries } from '@/run/series/series'

/** `memoryLimit` in bytes: what the engine may use on this machine, null when unknown. */
export function figuresOf(run: RunView, series: RunSeries, memoryLimit: number | null): readonly Figure[] {
  const memory = memoryFigure(run, memoryLimit)
  const of = (name: string) => numberIn(run.metrics, name)
  switch (runKind(run.method, series)) {
    case 'loss':
      return [...lossFigures(run, series), ...testFigures(run), bestFigure(run), rateFigure(run), speedFigure(run), memory]
    case 'reward': {
      const [reward, validation, ...rest] = rewardFigures(of)
      const quiet = { ...lossFigure(run, series), note: 'not a quality metric' }
      return [reward, withGain(validation, run, series), bestFigure(run), ...rest, quiet, memory].filter(isFigure)
    }
    case 'preference': {
      const [accuracy, validation, ...rest] = preferenceFigures(of)
      const gain = withGain(validation, run, series)
      const [train, held] = lossFigures(run, series)
      return [accuracy, gain, bestFigure(run), ...rest, train, held, ...testFigures(run), speedFigure(run), memory].filter(isFigure)
    }
  }
}

function isFigure(figure: Figure | undefined): figure is Figure {
  return figure !== undefined
}

function numberIn(metrics: RunMetrics, name: string): number | null {
  const value = (metrics as Readonly<Record<string, unknown>>)[name]
  return typeof value === 'number' ? value : null
}

function lossFigure({ metrics }: RunView, series: RunSeries): Figure {
  return { label: 'Train loss', value: loss(metrics.train_loss), note: changeWords(lastChange(series, 'train_loss')) }
}

function lossFigures(run: RunView, series: RunSeries): readonly Figure[] {
  const byLoss = (run.best?.metric ?? 'val_loss') === 'val_loss'
  return [
    lossFigure(run, series),
    { label: 'Validation loss', value: loss(run.metrics.val_loss), note: byLoss ? gainWords(run, series) : '' },
  ]
}

/** Only a run that was asked to measures the test set, at its end. */
function testFigures({ metrics }: RunView): readonly Figure[] {
  const tested = numberIn(metrics, 'test_loss')
  if (tested === null) return []
  return [{ label: 'Test loss', value: loss(tested), note: perplexityWords(numberIn(metrics, 'test_perplexity')) }]
}

/** What the run goes by says how long it has not gained; before that, what its spread is. */
function withGain(figure: Figure | undefined, run: RunView, series: RunSeries): Figure | undefined {
  if (!figure || run.best?.metric === 'val_loss') return figure
  const since = evaluationsSinceBest(series)
  return since === null || since === 0 ? figure : { ...figure, note: gainWords(run, series) }
}

function bestFigure({ best, metrics }: RunView): Figure {
  const metric = best?.metric ?? metrics.best_metric
  const value = best?.value ?? metrics.best_value
  return {
    label: metric && metric !== 'val_loss' ? `Best ${metricWords(metric)}` : 'Best',
    value: bestWords(metric, value),
    note: best ? `iteration ${count(best.step)} · saved` : '',
  }
}

function rateFigure(run: RunView): Figure {
  return { label: 'Learning rate', value: compact(run.metrics.learning_rate, 2), note: scheduleWords(run) }
}

function speedFigure({ metrics }: RunView): Figure {
  return { label: 'Throughput', value: speedOf(metrics.tokens_per_second), note: pace(metrics.iterations_per_second) }
}

function memoryFigure({ metrics }: RunView, limit: number | null): Figure {
  return {
    label: 'Memory',
    value: gigabytes(metrics.peak_memory_gb),
    note: limit === null ? 'peak' : `peak · of ${(limit / 1e9).toFixed(1)} GB`,
  }
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
  if (since === 0) return 'best so far'
  const patience = run.config?.['early_stop'] === true ? numberOf(run.config, 'patience') : null
  if (patience !== null) return `No improvement: ${count(since)} of ${count(patience)}`
  return `No improvement in ${plural(since, 'evaluation')}`
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
