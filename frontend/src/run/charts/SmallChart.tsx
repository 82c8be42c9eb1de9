/** A small chart with its newest value beside the title; of what does not change the value alone. */
import { useMemo } from 'react'
import { count } from '@/lib/format'
import type { RunSeries, TrainColumn } from '@/run/series/series'
import { Card } from '@/ui/Card'
import { Chart } from '@/ui/chart/Chart'
import { columnSource, smoothedSource } from './chartSources'
import type { ChartGroup, ChartStyle } from '@/ui/chart/chartTypes'
import { useVersion } from '@/ui/chart/useVersion'

type Props = {
  readonly title: string
  readonly series: RunSeries
  readonly column: TrainColumn
  readonly color: string
  /** For noisy values: this faint colour for the raw line, the other for the smoothed one. */
  readonly faint?: string
  readonly group: ChartGroup
  readonly end: number | null
  readonly format: (value: number | null) => string
  readonly note?: string
}

export function SmallChart({ title, series, column, color, faint, group, end, format, note }: Props) {
  useVersion(series)
  const source = useMemo(
    () => (faint ? smoothedSource(series, column) : columnSource(series, column)),
    [series, column, faint],
  )
  const style = useMemo(
    (): ChartStyle => ({
      minHeight: 64,
      bare: true,
      end,
      xLabel: 'Iteration',
      lines: [
        ...(faint ? [{ label: 'raw', color: faint, width: 1, format, quiet: true }] : []),
        { label: title.toLowerCase(), color, width: 1.5, format },
      ],
    }),
    [end, format, title, color, faint],
  )
  const last = series.train.last(column)
  if (isConstant(series.train.column(column))) {
    return (
      <Card className="py-2.5">
        <div className="flex items-baseline justify-between gap-3">
          <h2 className="text-small font-semibold">{title}</h2>
          <span className="text-small">
            <span className="text-faint">constant </span>
            <span className="font-medium">{format(last)}</span>
          </span>
        </div>
      </Card>
    )
  }
  return (
    <Card className="pb-2.5">
      <div className="mb-1 flex items-baseline justify-between gap-3">
        <h2 className="text-small font-semibold">{title}</h2>
        <span className="text-small font-medium">{format(last)}</span>
      </div>
      <div className="h-16">
        <Chart
          summary={`${title}, ${count(series.train.length)} reports, now ${format(last)}.`}
          source={source}
          style={style}
          group={group}
        />
      </div>
      {note ? <p className="mt-1 text-tiny text-soft">{note}</p> : null}
    </Card>
  )
}

const MIN_POINTS = 3
const SAME = 0.01

/** Several reports within a hundredth of each other: a flat line says no more than its value. */
export function isConstant(values: Float64Array): boolean {
  let [least, most, known] = [Infinity, -Infinity, 0]
  for (const value of values) {
    if (Number.isNaN(value)) continue
    known += 1
    least = Math.min(least, value)
    most = Math.max(most, value)
  }
  if (known < MIN_POINTS) return false
  return most - least <= SAME * Math.abs(most)
}
