/** From a run's series to what charts read, without copying the columns. */

import type { BestMetric } from '@/lib/best'
import { bestBy, type RunSeries, type TrainColumn, type ValidationColumn } from '@/lib/series'
import { smooth, weightFor } from '@/lib/smooth'
import type { ChartSource } from '@/ui/chartTypes'
import type { MainCurve } from '@/ui/mainCurve'

/** The raw curve, the smoothed one, validation points, the best ringed, checkpoints. */
export function mainSource({ column, validation, metric }: MainCurve, series: RunSeries, smoothing: number): ChartSource {
  let room = new Float64Array(1024)
  return {
    subscribe: series.subscribe,
    read: () => {
      const raw = series.train.column(column)
      const best = bestBy(series, metric)
      if (room.length < raw.length) room = new Float64Array(raw.length * 2)
      return {
        x: series.train.column('step'),
        lines: [raw, smooth(raw, weightFor(smoothing, raw.length), room)],
        points: { x: series.validation.column('step'), y: series.validation.column(validation) },
        ring: best ? { x: best.step, y: best.value } : null,
        ticks: series.checkpoints,
      }
    },
  }
}

/** A noisy column: raw, and smoothed. */
export function smoothedSource(series: RunSeries, column: TrainColumn): ChartSource {
  let room = new Float64Array(1024)
  return {
    subscribe: series.subscribe,
    read: () => {
      const raw = series.train.column(column)
      if (room.length < raw.length) room = new Float64Array(raw.length * 2)
      return { x: series.train.column('step'), lines: [raw, smooth(raw, weightFor(0.8, raw.length), room)] }
    },
  }
}

export function columnSource(series: RunSeries, column: TrainColumn): ChartSource {
  return {
    subscribe: series.subscribe,
    read: () => ({ x: series.train.column('step'), lines: [series.train.column(column)] }),
  }
}

type Held = { readonly column: ValidationColumn; readonly metric?: BestMetric }

/** Several curves as they are, and the points of validation where there are some. */
export function curvesSource(series: RunSeries, columns: readonly TrainColumn[], held?: Held): ChartSource {
  return {
    subscribe: series.subscribe,
    read: () => {
      const best = held?.metric ? bestBy(series, held.metric) : null
      return {
        x: series.train.column('step'),
        lines: columns.map((column) => series.train.column(column)),
        ...(held ? { points: { x: series.validation.column('step'), y: series.validation.column(held.column) } } : {}),
        ring: best ? { x: best.step, y: best.value } : null,
      }
    },
  }
}
