/** From a run's series to what charts read, without copying the columns. */

import type { BestMetric } from '@/run/series/best'
import { bestBy, type RunSeries, type TrainColumn, type ValidationColumn } from '@/run/series/series'
import { smooth, weightFor } from '@/lib/smooth'
import type { ChartSource } from '@/ui/chart/chartTypes'
import type { MainCurve } from './mainCurve'

/** The raw curve, the smoothed one, its spread, a second curve; validation points, the best ringed, checkpoints. */
export function mainSource({ column, validation, metric, spread, beside }: MainCurve, series: RunSeries, smoothing: number): ChartSource {
  const middle = new Room()
  const distance = new Room()
  return {
    subscribe: series.subscribe,
    read: () => {
      const raw = series.train.column(column)
      const weight = weightFor(smoothing, raw.length)
      const smoothed = middle.smooth(raw, weight)
      const apart = spread ? distance.smooth(series.train.column(spread), weight) : null
      const best = bestBy(series, metric)
      return {
        x: series.train.column('step'),
        lines: [
          raw,
          smoothed,
          ...(apart ? [smoothed.map((value, at) => value + (apart[at] ?? NaN)), smoothed.map((value, at) => value - (apart[at] ?? NaN))] : []),
          ...(beside ? [series.train.column(beside.column)] : []),
        ],
        points: { x: series.validation.column('step'), y: series.validation.column(validation) },
        ring: best ? { x: best.step, y: best.value } : null,
        ticks: series.checkpoints,
      }
    },
  }
}

/** Where a smoothed column stands; it grows with the run. */
class Room {
  private values = new Float64Array(1024)

  smooth(raw: Float64Array, weight: number): Float64Array {
    if (this.values.length < raw.length) this.values = new Float64Array(raw.length * 2)
    return smooth(raw, weight, this.values)
  }
}

/** A noisy column: raw, and smoothed. */
export function smoothedSource(series: RunSeries, column: TrainColumn): ChartSource {
  const room = new Room()
  return {
    subscribe: series.subscribe,
    read: () => {
      const raw = series.train.column(column)
      return { x: series.train.column('step'), lines: [raw, room.smooth(raw, weightFor(0.8, raw.length))] }
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
