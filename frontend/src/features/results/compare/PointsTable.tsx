/** The recorded points of one number, for those who don't see the picture. */
import type { RunComparison as Comparison } from '@/api/generated'
import { compact, count } from '@/lib/format'
import { AXIS_WORDS, curveWords } from './runCurves'

const MOST_ROWS = 300

type Props = { readonly comparison: Comparison; readonly curve: string; readonly minHeight: number }

export function PointsTable({ comparison, curve, minHeight }: Props) {
  const { runs, x } = comparison
  const rows = runs.flatMap((run) => (run.series[curve] ?? []).map(([at, value]) => ({ run, at: at ?? 0, value })))
  const shown = rows.slice(0, MOST_ROWS)
  return (
    <div>
      {/* The box scrolls, so the keyboard must be able to reach it. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className="overflow-auto" style={{ height: minHeight - 24 }} tabIndex={0} role="region" aria-label="Table of the curves">
        <table className="w-full border-collapse text-right text-small">
          <caption className="sr-only">{curveWords(curve)} of the runs</caption>
          <thead className="sticky top-0 bg-card text-soft">
            <tr>
              {['Run', AXIS_WORDS[x], curveWords(curve)].map((head) => (
                <th key={head} scope="col" className="border-b border-line px-2 py-1.5 font-medium whitespace-nowrap first:text-left">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map(({ run, at, value }) => (
              <tr key={`${run.session_id} ${at}`} className="border-b border-line last:border-0">
                <th scope="row" className="px-2 py-1 text-left font-normal text-soft">
                  {run.name}
                </th>
                <td className="px-2 py-1">{count(at)}</td>
                <td className="px-2 py-1">{compact(value, 6)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="mt-1.5 text-tiny text-faint">
        {shown.length < rows.length ? `The first ${count(shown.length)} of ${count(rows.length)} points; the CSV has all.` : `${count(rows.length)} points`}
      </p>
    </div>
  )
}
