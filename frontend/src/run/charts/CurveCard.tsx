/** A chart of middle size: one curve or several as they are, with their newest values beside their names. */
import { useMemo, type ReactNode } from 'react'
import type { BestMetric } from '@/run/series/best'
import { count, UNKNOWN } from '@/lib/format'
import type { RunSeries, TrainColumn, ValidationColumn } from '@/run/series/series'
import { Card } from '@/ui/Card'
import { Chart } from '@/ui/chart/Chart'
import { curvesSource } from './chartSources'
import type { ChartGroup, ChartStyle, Token } from '@/ui/chart/chartTypes'
import { useVersion } from '@/ui/chart/useVersion'

export type Curve = {
  readonly column: TrainColumn
  readonly label: string
  readonly color: Token
  readonly dash?: readonly number[]
}

export type CurveCardProps = {
  readonly title: string
  /** What the numbers mean, in a line. */
  readonly note: ReactNode
  /** The same list from render to render: a new one builds a new plot. */
  readonly curves: readonly Curve[]
  readonly held?: { readonly column: ValidationColumn; readonly metric?: BestMetric }
  readonly series: RunSeries
  readonly group: ChartGroup
  readonly end: number | null
  readonly format: (value: number | null) => string
}

const HEIGHT = 150

export function CurveCard({ title, note, curves, held, series, group, end, format }: CurveCardProps) {
  useVersion(series)
  const column = held?.column
  const metric = held?.metric
  const source = useMemo(
    () =>
      curvesSource(
        series,
        curves.map((curve) => curve.column),
        column ? { column, ...(metric ? { metric } : {}) } : undefined,
      ),
    [series, curves, column, metric],
  )
  const style = useMemo(
    (): ChartStyle => ({
      minHeight: HEIGHT,
      end,
      xLabel: 'Iteration',
      lines: curves.map((curve) => ({ width: 1.75, format, ...curve })),
      ...(column ? { points: { label: 'validation', color: 'chart-validation', format } } : {}),
    }),
    [end, format, curves, column],
  )
  const validated = column !== undefined && series.validation.has(column)
  const known = validated || curves.some((curve) => series.train.has(curve.column))
  const words = curves.map((curve) => `${curve.label} ${format(series.train.last(curve.column))}`).join(', ')
  return (
    <Card title={title} subtitle={note}>
      <ul className="mb-1 flex min-h-5 flex-wrap gap-x-3.5 gap-y-0.5">
        {curves.map((curve) => (
          <Entry key={curve.column} text={curve.label} value={format(series.train.last(curve.column))}>
            <line
              x1="0"
              y1="6"
              x2="14"
              y2="6"
              strokeWidth="2"
              strokeDasharray={curve.dash?.join(' ')}
              style={{ stroke: `var(--${curve.color})` }}
            />
          </Entry>
        ))}
        {validated ? (
          <Entry text="validation" value={format(series.validation.last(column))}>
            <circle cx="7" cy="6" r="3.5" className="fill-(--chart-validation)" />
          </Entry>
        ) : null}
      </ul>
      <div className="relative" style={{ height: HEIGHT }}>
        <Chart
          summary={`${title}, ${count(series.train.length)} reports, now ${words}. The table above has all numbers.`}
          source={source}
          style={style}
          group={group}
        />
        {known ? null : (
          <p className="pointer-events-none absolute inset-0 flex items-center justify-center pb-6 text-small text-soft">
            {series.train.length === 0 ? 'No report yet.' : `${UNKNOWN} Not reported for this method.`}
          </p>
        )}
      </div>
    </Card>
  )
}

type EntryProps = { readonly text: string; readonly value: string; readonly children: ReactNode }

function Entry({ text, value, children }: EntryProps) {
  return (
    <li className="inline-flex max-w-full items-center gap-1.5 text-small text-soft">
      <svg viewBox="0 0 14 12" className="h-3 w-3.5 shrink-0" aria-hidden="true">
        {children}
      </svg>
      <span className="truncate">{text}</span>
      <span className="font-medium text-ink">{value}</span>
    </li>
  )
}
