/** From a run's series to what charts read, without copying the columns. */

import { bestBy, type RunSeries, type TrainColumn } from '@/lib/series'
import { smooth, weightFor } from '@/lib/smooth'
import type { ChartSource } from '@/ui/chartTypes'

/** Raw training loss, smoothed training loss, validation points, the best ringed, checkpoints. */
export function lossSource(series: RunSeries, smoothing: number): ChartSource {
  let room = new Float64Array(1024)
  return {
    subscribe: series.subscribe,
    read: () => {
      const raw = series.train.column('train_loss')
      const best = bestBy(series, 'val_loss')
      if (room.length < raw.length) room = new Float64Array(raw.length * 2)
      return {
        x: series.train.column('step'),
        lines: [raw, smooth(raw, weightFor(smoothing, raw.length), room)],
        points: { x: series.validation.column('step'), y: series.validation.column('val_loss') },
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
