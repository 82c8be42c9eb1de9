/** A run's curves as rows: for the table beside a chart and for the CSV file. */

import type { RunSeries, TrainColumn, ValidationColumn } from './series'

/** Every run has these; what else it has stands behind them. */
const USUAL = [
  'step',
  'train_loss',
  'val_loss',
  'learning_rate',
  'iterations_per_second',
  'tokens_per_second',
  'peak_memory_gb',
  'trained_tokens',
  'epoch',
] as const

export type SeriesRow = { readonly [column in (typeof USUAL)[number]]: number | null } & {
  readonly step: number
  /** The rewards and preferences of the run's method, by column. */
  readonly more: { readonly [column: string]: number | null }
}

/** Not for reading: the time of a validation, and the seconds that the steps say too. */
const LEFT_OUT: ReadonlySet<string> = new Set([...USUAL, 'val_time', 'elapsed_seconds'])

/** The columns of this run beside the usual ones: of its reports, then of its evaluations. */
export function moreColumns({ train, validation }: RunSeries): readonly string[] {
  return [...train.keys, ...validation.keys].filter((key) => !LEFT_OUT.has(key))
}

/** Reports and evaluations merged by iteration, in order. */
export function seriesRows(series: RunSeries): SeriesRow[] {
  const { train, validation } = series
  const more = moreColumns(series)
  const rows: SeriesRow[] = []
  let t = 0
  let v = 0
  while (t < train.length || v < validation.length) {
    const trainStep = train.value('step', t) ?? Infinity
    const validationStep = validation.value('step', v) ?? Infinity
    const step = Math.min(trainStep, validationStep)
    const value = (column: TrainColumn) => (trainStep === step ? train.value(column, t) : null)
    const validated = (column: ValidationColumn) =>
      validationStep === step ? validation.value(column, v) : null
    rows.push({
      step,
      train_loss: value('train_loss'),
      val_loss: validated('val_loss'),
      learning_rate: value('learning_rate'),
      iterations_per_second: value('iterations_per_second'),
      tokens_per_second: value('tokens_per_second'),
      peak_memory_gb: value('peak_memory_gb'),
      trained_tokens: value('trained_tokens'),
      epoch: value('epoch'),
      // A name is in one of the two tables only.
      more: Object.fromEntries(
        more.map((name) => [name, value(name as TrainColumn) ?? validated(name as ValidationColumn)]),
      ),
    })
    if (trainStep === step) t += 1
    if (validationStep === step) v += 1
  }
  return rows
}

/** At most `most` rows, evenly chosen; rows with an evaluation and the last row always stay. */
export function thinRows(rows: readonly SeriesRow[], most: number): readonly SeriesRow[] {
  if (rows.length <= most) return rows
  const every = Math.ceil(rows.length / most)
  const thin = rows.filter(
    (row, index) => index % every === 0 || index === rows.length - 1 || isEvaluated(row),
  )
  return thin.length <= most * 2 ? thin : thin.filter((_, index) => index % 2 === 0)
}

function isEvaluated({ val_loss, more }: SeriesRow): boolean {
  return val_loss !== null || more['val_reward'] != null || more['val_accuracy'] != null
}

/** Unknown is an empty cell. */
export function seriesCsv(series: RunSeries): string {
  const more = moreColumns(series)
  const lines = seriesRows(series).map((row) =>
    [...USUAL.map((column) => row[column]), ...more.map((column) => row.more[column])].map((value) => value ?? '').join(','),
  )
  return [[...USUAL, ...more.map(quoted)].join(','), ...lines, ''].join('\n')
}

/** A reward function's name may hold a comma or a quote. */
function quoted(name: string): string {
  return /[",\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name
}
