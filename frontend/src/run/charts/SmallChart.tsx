/** A small chart with its newest value beside the title. */
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
