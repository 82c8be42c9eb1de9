/** The curves of several runs over one axis, for a chart. Pure. */
import type { RunComparison as Comparison } from '@/api/generated'
import { columnWords } from '@/run/series/columnWords'
import { smooth, weightFor } from '@/lib/smooth'
import type { ChartData, ChartLine } from '@/ui/chart/chartTypes'
import { compact, loss } from '@/lib/format'

const COLORS = ['chart-train', 'chart-rate', 'chart-validation', 'chart-memory']
const DASHES: readonly (readonly number[])[] = [[], [7, 4], [2, 3]]
const FIRST = ['train_loss', 'val_loss']
const WORDS: Readonly<Record<string, string>> = {
  train_loss: 'Training loss',
  val_loss: 'Validation loss',
  learning_rate: 'Learning rate',
  iterations_per_second: 'Iterations/s',
  tokens_per_second: 'Tokens/s',
  peak_memory_gb: 'Peak memory (GB)',
  trained_tokens: 'Trained tokens',
  elapsed_seconds: 'Seconds',
}

export type Axis = Comparison['x']
export const AXIS_WORDS: Readonly<Record<Axis, string>> = { step: 'Iteration', tokens: 'Trained tokens', seconds: 'Seconds' }

/** The numbers that any of the runs has, losses first. */
export function curveNames({ runs }: Comparison): readonly string[] {
  const names = new Set(runs.flatMap((run) => Object.keys(run.series)))
  return [...FIRST.filter((name) => names.delete(name)), ...names]
}

export function curveWords(name: string): string {
  return WORDS[name] ?? columnWords(name)
}

/** Colour and dash of the run in this place: twelve that differ, then again from the first. */
export function lookOf(place: number): { readonly color: string; readonly dash: readonly number[] } {
  const dash = DASHES[Math.floor(place / COLORS.length) % DASHES.length] ?? []
  return { color: COLORS[place % COLORS.length] ?? 'chart-train', dash }
}

export function curveLines({ runs }: Comparison, curve: string): readonly ChartLine[] {
  const format = curve.endsWith('loss') ? loss : (value: number | null) => compact(value, 4)
  return runs.map((run, place) => {
    const { color, dash } = lookOf(place)
    return { label: run.name, color, width: 2, format, ...(dash.length > 0 ? { dash } : {}) }
  })
}

/** All points on one axis: between two of its own a run is drawn straight, and nowhere else. */
export function curveData({ runs }: Comparison, curve: string, smoothing: number): ChartData {
  const all = runs.map((run) => (run.series[curve] ?? []).flatMap(([x, y]) => (y === null ? [] : [[x ?? NaN, y] as const])))
  const x = Float64Array.from(new Set(all.flatMap((points) => points.map(([place]) => place)))).sort()
  return {
    x,
    lines: all.map((points) => {
      const raw = Float64Array.from(points, ([, y]) => y)
      const weight = curve.startsWith('val_') ? 0 : weightFor(smoothing, raw.length)
      const values = smooth(raw, weight)
      return filled(x, Float64Array.from(points, ([place]) => place), values)
    }),
  }
}

function filled(x: Float64Array, own: Float64Array, values: Float64Array): Float64Array {
  const line = new Float64Array(x.length).fill(NaN)
  let next = 0
  for (let place = 0; place < x.length; place += 1) {
    const at = x[place] ?? NaN
    while (next < own.length && (own[next] ?? NaN) < at) next += 1
    const [right, left] = [own[next], own[next - 1]]
    if (right === undefined) break
    if (right === at) line[place] = values[next] ?? NaN
    else if (left !== undefined) {
      const [from, to] = [values[next - 1] ?? NaN, values[next] ?? NaN]
      line[place] = from + ((to - from) * (at - left)) / (right - left)
    }
  }
  return line
}
