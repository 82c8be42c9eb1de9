/** Smoothing and range choice for curves that are noisy on purpose. Pure functions over columns. */

type Column = ArrayLike<number>

/**
 * Exponential moving average, corrected for its empty start (as in Adam and TensorBoard), so the
 * first points are not pulled towards zero. `weight` 0 is the raw curve, below 1. A gap (NaN)
 * stays a gap and does not disturb what follows. Writes into `into` when it is long enough.
 */
export function smooth(values: Column, weight: number, into?: Float64Array): Float64Array {
  const out = into && into.length >= values.length ? into : new Float64Array(values.length)
  let average = 0
  let correction = 1
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i] ?? NaN
    if (Number.isNaN(value)) {
      out[i] = NaN
      continue
    }
    average = weight * average + (1 - weight) * value
    correction *= weight
    out[i] = average / (1 - correction)
  }
  return out.subarray(0, values.length)
}

/** The number of points at which a weight is used as it is. */
const USUAL_POINTS = 300

/**
 * The weight per point that smooths over the same share of the picture, however many points there
 * are: else 20 points lag far behind themselves, and 100,000 are smoothed over a hair's breadth.
 */
export function weightFor(weight: number, points: number): number {
  return points === 0 ? weight : weight ** (USUAL_POINTS / points)
}

export type Range = readonly [min: number, max: number]

/** Least and greatest finite value between two indices; null when there is none. */
export function extent(values: Column, from = 0, to = values.length): Range | null {
  let min = Infinity
  let max = -Infinity
  for (let i = from; i < to; i += 1) {
    const value = values[i] ?? NaN
    if (value < min) min = value
    if (value > max) max = value
  }
  return min <= max ? [min, max] : null
}

/**
 * The range without its outliers: between the quantiles `cut` and 1 − `cut`. Long columns are
 * sampled evenly, so the cost does not grow with the run. Few points are all kept.
 */
export function clippedExtent(values: Column, cut = 0.02, from = 0, to = values.length): Range | null {
  const stride = Math.max(1, Math.floor((to - from) / 4000))
  const sample: number[] = []
  for (let i = from; i < to; i += stride) {
    const value = values[i] ?? NaN
    if (Number.isFinite(value)) sample.push(value)
  }
  if (sample.length < 20) return extent(values, from, to)
  sample.sort((a, b) => a - b)
  const last = sample.length - 1
  const low = sample[Math.floor(last * cut)]
  const high = sample[Math.ceil(last * (1 - cut))]
  return low === undefined || high === undefined ? null : [low, high]
}

/** Index of the last entry at or before `x` in an ascending column; -1 when all are later. */
export function indexAtOrBefore(column: Column, x: number): number {
  let low = 0
  let high = column.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((column[middle] ?? Infinity) <= x) low = middle + 1
    else high = middle
  }
  return low - 1
}
