/** The numbers of several runs side by side, and what goes out of the page: CSV and Markdown. Pure. */
import type { RunComparison as Comparison, ComparedRun } from '@/api/generated'
import { bytes, compact, count, duration, gigabytes, loss, parameters, UNKNOWN } from '@/lib/format'
import { methodName } from '@/run/reducer/runConfig'
import { bestWords, metricWords } from '@/run/series/best'
import { curveNames } from './runCurves'

export type TableRow = { readonly label: string; readonly values: readonly string[] }

const ROWS: readonly (readonly [string, (run: ComparedRun) => string])[] = [
  ['State', (run) => run.state],
  ['Method', (run) => methodName(run.method)],
  ['Model', (run) => run.model_name ?? UNKNOWN],
  ['Final train loss', ({ final }) => loss(final.train_loss)],
  ['Final validation loss', ({ final }) => loss(final.val_loss)],
  ['Best', ({ best }) => [bestWords(best.metric, best.value), best.metric && best.metric !== 'val_loss' ? metricWords(best.metric) : ''].join(' ').trim()],
  ['Best at iteration', ({ best }) => count(best.step)],
  ['Final reward', ({ final }) => compact(final.avg_reward)],
  ['Iterations', ({ final }) => count(final.current_step)],
  ['Trained tokens', ({ final }) => count(final.trained_tokens)],
  ['Duration', ({ resources }) => duration(resources.duration_seconds)],
  ['Tokens/s', ({ resources }) => count(resources.tokens_per_second)],
  ['Peak memory', ({ resources }) => gigabytes(resources.peak_memory_gb)],
  ['Adapter size', ({ resources }) => bytes(resources.adapter_bytes)],
  ['Trainable parameters', ({ resources }) => parameters(resources.trainable_parameters)],
]

/** What no run has is no row. */
export function resultRows({ runs }: Comparison): readonly TableRow[] {
  return ROWS.map(([label, show]) => ({ label, values: runs.map(show) })).filter(({ values }) => values.some((value) => value !== UNKNOWN))
}

export function differenceRows({ differences }: Comparison): readonly TableRow[] {
  return differences.map(({ field, values }) => ({ label: field, values: values.map(valueWords) }))
}

/** The exact points, a line each: what a spreadsheet or a notebook reads. */
export function comparisonCsv(comparison: Comparison): string {
  const lines = [['session_id', 'name', 'curve', comparison.x, 'value'].join(',')]
  for (const run of comparison.runs) {
    for (const curve of curveNames(comparison)) {
      for (const [x, y] of run.series[curve] ?? []) {
        lines.push([run.session_id, quoted(run.name), curve, String(x), y === null ? '' : String(y)].join(','))
      }
    }
  }
  return `${lines.join('\n')}\n`
}

export function comparisonMarkdown(comparison: Comparison): string {
  const { runs, held_out: heldOut } = comparison
  const table = (rows: readonly TableRow[]) => [
    `| | ${runs.map((run) => cell(run.name)).join(' | ')} |`,
    `|---|${runs.map(() => '---').join('|')}|`,
    ...rows.map((row) => `| ${cell(row.label)} | ${row.values.map(cell).join(' | ')} |`),
  ]
  const differences = differenceRows(comparison)
  return [
    '# Compared runs', '', ...table(resultRows(comparison)), '', heldOut.message, '', '## Settings that differ', '',
    ...(differences.length > 0 ? table(differences) : ['None.']), '',
  ].join('\n')
}

function valueWords(value: unknown): string {
  if (value === null || value === undefined) return UNKNOWN
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function quoted(text: string): string {
  // A spreadsheet must not take a name for a formula.
  const safe = /^[=+\-@]/.test(text) ? `'${text}` : text
  return `"${safe.replaceAll('"', '""')}"`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}

