/** A run's curves as rows: for the table beside a chart and for the CSV file. */

import type { RunSeries, TrainColumn } from '@/lib/series'

const COLUMNS = [
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

export type SeriesRow = { readonly [column in (typeof COLUMNS)[number]]: number | null } & {
  readonly step: number
}

/** Reports and evaluations merged by iteration, in order. */
export function seriesRows({ train, validation }: RunSeries): SeriesRow[] {
  const rows: SeriesRow[] = []
  let t = 0
  let v = 0
  while (t < train.length || v < validation.length) {
    const trainStep = train.value('step', t) ?? Infinity
    const validationStep = validation.value('step', v) ?? Infinity
    const step = Math.min(trainStep, validationStep)
    const value = (column: TrainColumn) => (trainStep === step ? train.value(column, t) : null)
    rows.push({
      step,
      train_loss: value('train_loss'),
      val_loss: validationStep === step ? validation.value('val_loss', v) : null,
      learning_rate: value('learning_rate'),
      iterations_per_second: value('iterations_per_second'),
      tokens_per_second: value('tokens_per_second'),
      peak_memory_gb: value('peak_memory_gb'),
      trained_tokens: value('trained_tokens'),
      epoch: value('epoch'),
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
    (row, index) => index % every === 0 || index === rows.length - 1 || row.val_loss !== null,
  )
  return thin.length <= most * 2 ? thin : thin.filter((_, index) => index % 2 === 0)
}

/** Unknown is an empty cell. */
export function seriesCsv(series: RunSeries): string {
  const lines = seriesRows(series).map((row) => COLUMNS.map((column) => row[column] ?? '').join(','))
  return [COLUMNS.join(','), ...lines, ''].join('\n')
}
