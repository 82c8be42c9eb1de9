/** The curves as a table, for those who don't see the picture or want the numbers. */
import { columnWords } from '@/run/series/columnWords'
import { compact, count, gigabytes, loss } from '@/lib/format'
import type { RunSeries } from '@/run/series/series'
import { moreColumns, seriesRows, thinRows } from '@/run/series/seriesTable'
import { useVersion } from '@/ui/chart/useVersion'

type Props = { readonly series: RunSeries; readonly minHeight: number }

const MOST_ROWS = 300
/** Stand in the table of every run. */
const HEADS = ['Iteration', 'Train loss', 'Validation loss', 'Learning rate', 'Tokens/s', 'Memory']

export function ChartTable({ series, minHeight }: Props) {
  useVersion(series)
  const rows = seriesRows(series)
  const shown = thinRows(rows, MOST_ROWS)
  const more = moreColumns(series)
  return (
    <div className="flex min-h-0 flex-1 flex-col pt-2" style={{ minHeight }}>
      {/* The box scrolls, so the keyboard must be able to reach it. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className="relative min-h-0 flex-1 overflow-auto" tabIndex={0} role="region" aria-label="Table of the curves">
        <table className="absolute inset-x-0 top-0 w-full border-collapse text-right text-small">
          <caption className="sr-only">Losses, learning rate, throughput, memory and what the method adds, by iteration</caption>
          <thead className="sticky top-0 bg-card text-soft">
            <tr>
              {[...HEADS, ...more.map(columnWords)].map((head) => (
                <th key={head} scope="col" className="border-b border-line px-2 py-1.5 font-medium whitespace-nowrap">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr key={row.step} className="border-b border-line last:border-0">
                <th scope="row" className="px-2 py-1 font-normal text-soft">
                  {count(row.step)}
                </th>
                <td className="px-2 py-1">{loss(row.train_loss)}</td>
                <td className="px-2 py-1">{loss(row.val_loss)}</td>
                <td className="px-2 py-1">{compact(row.learning_rate, 3)}</td>
                <td className="px-2 py-1">{compact(row.tokens_per_second, 4)}</td>
                <td className="px-2 py-1">{gigabytes(row.peak_memory_gb)}</td>
                {more.map((name) => (
                  <td key={name} className="px-2 py-1">
                    {compact(row.more[name], 3)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="mt-1.5 text-tiny text-faint">
        {shown.length < rows.length
          ? `${count(shown.length)} of ${count(rows.length)} rows, evenly chosen; the CSV has all.`
          : `${count(rows.length)} rows`}
      </p>
    </div>
  )
}
