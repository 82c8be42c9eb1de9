/** The card of the curve that a run is judged by: picture or table, with its controls. */
import { useMemo, useRef, useState } from 'react'
import { saveFile, safeFileName } from '@/lib/download'
import { count } from '@/lib/format'
import { useWindowHeight } from '@/ui/chart/useWindowHeight'
import { bestBy, type RunSeries } from '@/run/series/series'
import { seriesCsv } from '@/run/series/seriesTable'
import { Button } from '@/ui/controls/Button'
import { Card } from '@/ui/Card'
import { Chart, type ChartHandle } from '@/ui/chart/Chart'
import { ChartControls } from '@/ui/chart/ChartControls'
import { ChartLegend } from '@/ui/chart/ChartLegend'
import { chartPicture } from '@/ui/chart/chartPicture'
import { useChartSettings } from '@/ui/chart/chartSettings'
import { mainSource } from './chartSources'
import { ChartTable } from './ChartTable'
import type { ChartGroup, ChartStyle } from '@/ui/chart/chartTypes'
import type { MainCurve } from './mainCurve'
import { useVersion } from '@/ui/chart/useVersion'

type Props = {
  readonly curve: MainCurve
  readonly series: RunSeries
  readonly group: ChartGroup
  /** Planned end of the x axis. */
  readonly end: number | null
  /** Name of the run, for the title of the picture and the files. */
  readonly name: string
  /** Shown while there is no point yet. */
  readonly waiting: string
}

/** A third of the window, so that the curve is seen whole with the figures above it. */
const SHARE = 0.34
const [LEAST, MOST] = [150, 420]

function heightIn(window: number): number {
  // In steps, because another height builds another plot.
  return Math.min(MOST, Math.max(LEAST, Math.round((window * SHARE) / 10) * 10))
}

export function MainChart({ curve, series, group, end, name, waiting }: Props) {
  useVersion(series)
  useVersion(group)
  const [settings, change] = useChartSettings()
  const [table, setTable] = useState(false)
  const chart = useRef<ChartHandle>(null)
  const { smoothing, clip } = settings
  const log = settings.log && curve.canLog
  const source = useMemo(() => mainSource(curve, series, smoothing), [curve, series, smoothing])
  const height = heightIn(useWindowHeight())
  const style = useMemo(() => styleOf(curve, { log, clip, end, height }), [curve, log, clip, end, height])
  const empty = series.train.length === 0 && series.validation.length === 0

  const savePicture = async () => {
    const canvas = chart.current?.picture()
    const blob = canvas ? await chartPicture(canvas, `${curve.title} · ${name}`) : null
    if (blob) saveFile(`${safeFileName(name)}-${curve.noun}.png`, blob)
  }

  return (
    <Card
      title={curve.title}
      className="h-full"
      bodyClassName="flex flex-col"
      actions={
        <ChartControls
          settings={settings}
          onChange={change}
          axis={curve.canLog ? `${curve.title} axis` : null}
          table={table}
          onTable={setTable}
          onPicture={() => void savePicture()}
          onCsv={() => saveFile(`${safeFileName(name)}.csv`, seriesCsv(series), 'text/csv')}
        />
      }
    >
      <div className="flex min-h-7 items-center justify-between gap-3">
        <ChartLegend
          smoothed={settings.smoothing > 0}
          validated={series.validation.has(curve.validation) && series.validation.length > 0}
          checkpoints={series.checkpoints.length > 0}
          spread={curve.spread !== undefined && series.train.has(curve.spread)}
          beside={curve.beside && series.train.has(curve.beside.column) ? curve.beside.label : null}
        />
        {group.view() === null ? null : (
          <Button size="small" kind="ghost" onClick={() => group.show(null)}>
            Reset zoom
          </Button>
        )}
      </div>
      {table ? (
        <ChartTable series={series} minHeight={height} />
      ) : (
        <div className="relative min-h-0 flex-1">
          <Chart ref={chart} summary={summaryOf(curve, series)} source={source} style={style} group={group} />
          {empty ? (
            <p className="pointer-events-none absolute inset-0 flex items-center justify-center pb-8 text-small text-soft">
              {waiting}
            </p>
          ) : null}
        </div>
      )}
    </Card>
  )
}

/** One standard deviation above and below. */
const EDGE = { label: 'spread', color: 'chart-train', width: 1, dash: [2, 3], quiet: true }

type Look = { readonly log: boolean; readonly clip: boolean; readonly end: number | null; readonly height: number }

function styleOf({ format, spread, beside }: MainCurve, { log, clip, end, height }: Look): ChartStyle {
  return {
    minHeight: height,
    log,
    clip,
    end,
    xLabel: 'Iteration',
    lines: [
      { label: 'raw', color: 'chart-train-faint', width: 1, format, quiet: true },
      { label: 'train', color: 'chart-train', width: 2, format },
      ...(spread ? [EDGE, EDGE].map((edge) => ({ ...edge, format })) : []),
      ...(beside ? [{ label: beside.label, color: 'chart-memory', width: 1.25, dash: [7, 4], format }] : []),
    ],
    points: { label: 'validation', color: 'chart-validation', format },
  }
}

/** The picture in one sentence. */
function summaryOf({ title, noun, column, validation: held, metric, format }: MainCurve, series: RunSeries): string {
  const { train, validation } = series
  const best = bestBy(series, metric)
  if (train.length === 0 && validation.length === 0) return `${title} chart without points yet.`
  const parts = [
    `${title} chart, ${count(train.length)} reports up to iteration ${count(train.last('step'))}.`,
    `Training ${noun} from ${format(train.value(column, 0))} to ${format(train.last(column))}.`,
    validation.length > 0 ? `Validation ${noun} ${format(validation.last(held))}.` : '',
    best ? `Best ${format(best.value)} at iteration ${count(best.step)}.` : '',
    'The table shows all numbers; the arrow keys move the cursor.',
  ]
  return parts.filter(Boolean).join(' ')
}
