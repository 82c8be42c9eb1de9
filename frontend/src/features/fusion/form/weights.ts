/** Weights that sum to 1, in whole thousandths so that the numbers shown sum to 1 as well. */

export const WHOLE = 1000

export function equalWeights(count: number): readonly number[] {
  return shared(Array.from({ length: count }, () => 1), WHOLE)
}

/** One weight set to a value, and the others in their old proportions. */
export function rebalanced(weights: readonly number[], at: number, value: number): readonly number[] {
  const set = Math.min(WHOLE, Math.max(0, Math.round(value)))
  if (weights.length < 2) return weights
  const others = weights.filter((_, place) => place !== at)
  const rest = shared(others, WHOLE - set)
  return weights.map((_, place) => (place === at ? set : (rest[place < at ? place : place - 1] ?? 0)))
}

/** A result's weights as the sliders show them; other sums are scaled. */
export function fromNumbers(weights: readonly number[]): readonly number[] {
  return shared(weights.map((weight) => Math.max(0, weight)), WHOLE)
}

export function areEqual(weights: readonly number[]): boolean {
  return equalWeights(weights.length).every((weight, at) => weight === weights[at])
}

export function weightText(weight: number): string {
  return (weight / WHOLE).toFixed(3)
}

/** `total` in those proportions (in equal ones where all are 0), by largest remainder. */
function shared(proportions: readonly number[], total: number): readonly number[] {
  const sum = proportions.reduce((all, each) => all + each, 0)
  const exact = proportions.map((each) => (sum > 0 ? (each / sum) * total : total / proportions.length))
  const parts = exact.map(Math.floor)
  const left = total - parts.reduce((all, each) => all + each, 0)
  const order = exact.map((value, at) => ({ at, rest: value - Math.floor(value) })).sort((a, b) => b.rest - a.rest || a.at - b.at)
  for (const { at } of order.slice(0, left)) parts[at] = (parts[at] ?? 0) + 1
  return parts
}
