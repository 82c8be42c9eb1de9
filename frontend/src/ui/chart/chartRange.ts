/** Which part of the plane a chart shows. Pure, so that awkward data can be tested as data. */

import { clippedExtent, extent, indexAtOrBefore, type Range } from '@/lib/smooth'
import type { ChartData, ChartStyle, View } from './chartTypes'

/** The whole x axis: from 0, or from the first point of a resumed run, to the planned end. */
export function fullRange(data: ChartData, end: number | null | undefined): View {
  const lasts = [data.x.at(-1), data.points?.x.at(-1), end ?? undefined]
  const last = Math.max(0, ...lasts.filter((value): value is number => value !== undefined))
  return [0, last > 0 ? last : 1]
}

/** A wished-for window, kept inside the whole; null when it would show all of it. */
export function clampView([from, to]: View, [first, last]: View): View | null {
  const whole = last - first
  const span = Math.min(Math.max(to - from, Math.min(2, whole), whole / 20_000), whole)
  if (span >= whole) return null
  const centred = (from + to) / 2 - span / 2
  const start = Math.min(Math.max(to - from < span ? centred : from, first), last - span)
  return [start, start + span]
}

/** The y range of what is visible between `from` and `to`, with a little air. */
export function yRange(data: ChartData, style: ChartStyle, [from, to]: View): Range {
  const ranges: (Range | null)[] = []
  const first = Math.max(0, indexAtOrBefore(data.x, from))
  const past = indexAtOrBefore(data.x, to) + 1
  data.lines.forEach((column, index) => {
    const quiet = style.lines[index]?.quiet === true
    const reach = style.clip && quiet ? clippedExtent(column, 0.01, first, past) : extent(column, first, past)
    ranges.push(style.log ? positive(reach, column, first, past) : reach)
  })
  if (data.points) {
    const { x, y } = data.points
    const begin = Math.max(0, indexAtOrBefore(x, from))
    const end = indexAtOrBefore(x, to) + 1
    const reach = style.clip ? clippedExtent(y, 0.02, begin, end) : extent(y, begin, end)
    ranges.push(style.log ? positive(reach, y, begin, end) : reach)
  }
  const known = ranges.filter((range) => range !== null)
  if (known.length === 0) return style.log ? [0.1, 1] : [0, 1]
  const low = Math.min(...known.map(([min]) => min))
  const high = Math.max(...known.map(([, max]) => max))
  return style.log ? airLog(low, high) : airLinear(low, high, style.fromZero === true)
}

/**
 * Labels of an axis; null is a split without label. On a linear axis all have the decimals that the
 * finest needs, on a log axis each has its own.
 */
export function axisValues(splits: readonly (number | null)[], log: boolean): string[] {
  const known = splits.filter((split) => split !== null)
  const shared = Math.max(0, ...known.map(decimalsOf))
  return splits.map((split) => {
    if (split === null) return ''
    if (split !== 0 && Math.abs(split) < 1e-4) return split.toExponential(0).replace('e+', 'e')
    return split.toFixed(Math.min(log ? decimalsOf(split) : shared, 6))
  })
}

/** Lines of a log axis: 1, 2, 5 of each decade, whole decades on a tall one, even steps in a narrow one. */
export function logSplits(min: number, max: number): number[] {
  const decades = Math.log10(max / min)
  const steps = decades > 3 ? [1] : [1, 2, 5]
  const splits: number[] = []
  for (let power = Math.floor(Math.log10(min)); power <= Math.log10(max); power += 1) {
    for (const step of steps) {
      const split = Number(`${step}e${power}`)
      if (split >= min && split <= max) splits.push(split)
    }
  }
  if (splits.length >= 2) return splits
  const digits = Math.max(1, Math.ceil(-Math.log10((max - min) / max)) + 1)
  return [0.1, 0.37, 0.63, 0.9].map((share) => Number((min + (max - min) * share).toPrecision(digits)))
}

function decimalsOf(value: number): number {
  // Ten digits hide the noise of binary fractions (0.30000000000000004).
  const text = String(Number(value.toPrecision(10)))
  return text.includes('e') ? 0 : (text.split('.')[1]?.length ?? 0)
}

/** A log axis has no place for zero and below: the range is that of the values above. */
function positive(range: Range | null, column: Float64Array, from: number, to: number): Range | null {
  if (range === null || range[0] > 0) return range
  const above = column.slice(from, to).map((value) => (value > 0 ? value : NaN))
  return extent(above)
}

function airLinear(low: number, high: number, fromZero: boolean): Range {
  const floor = fromZero ? Math.min(0, low) : low
  const span = high - floor
  // A flat line stands in the middle, whatever its height.
  const air = span > 0 ? span * 0.06 : Math.abs(high) * 0.1 || 1
  const bottom = floor - air
  return [fromZero || (low >= 0 && bottom < 0) ? Math.min(0, low) : bottom, high + air]
}

function airLog(low: number, high: number): Range {
  const air = high > low ? (high / low) ** 0.06 : 1.3
  return [low / air, high * air]
}
