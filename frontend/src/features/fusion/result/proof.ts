/** What a proof says: which side is best, where its interval lies, and where the result lost. Pure. */
import type { Estimate, FusionResultAnswer, Proof, ProofSet } from '@/api/generated'
import { loss } from '@/lib/format'

/** The place of the smallest known value; null where none or only one is known. */
export function smallest(values: readonly (number | null | undefined)[]): number | null {
  const known = values.flatMap((value, at) => (value == null ? [] : [{ value, at }]))
  if (known.length < 2) return null
  return known.reduce((best, each) => (each.value < best.value ? each : best)).at
}

export type Scale = { readonly low: number; readonly high: number }

/** From the least lower bound to the greatest upper one; null where nothing is known. */
export function scaleOf(estimates: readonly (Estimate | null)[]): Scale | null {
  const known = estimates.flatMap((each) => (each === null ? [] : [each.low ?? each.mean, each.high ?? each.mean]))
  if (known.length === 0) return null
  const [low, high] = [Math.min(...known), Math.max(...known)]
  const margin = (high - low) * 0.04 || 0.5
  return { low: low - margin, high: high + margin }
}

/** A value's place on a scale, from 0 to 1. */
export function placeOn({ low, high }: Scale, value: number): number {
  return (value - low) / (high - low)
}

/** "0.412 to 0.468"; null without an interval. */
export function rangeWords(estimate: Estimate | null): string | null {
  if (estimate === null || estimate.low === null || estimate.high === null) return null
  return `${loss(estimate.low)} to ${loss(estimate.high)}`
}

/**
 * Where the result is worse than a source on that source's own rows (than any, on other rows), or than
 * the base, and the interval of the paired difference leaves out 0.
 */
export function cautions(result: FusionResultAnswer): readonly string[] {
  const { proof, fusion_info: info } = result
  const last = proof?.targets.at(-1)
  if (!proof || !last) return []
  return proof.sets.flatMap((set, at) => {
    const owned = info.adapter_names.includes(set.name)
    const sides = proof.targets.slice(0, -1).filter((side, place) => place === 0 || !owned || owners(set).includes(side.label))
    return sides.flatMap((side) => {
      const { loss: before, difference } = side.sets[at] ?? { loss: null, difference: null }
      if (difference?.low == null || difference.high === null || difference.low <= 0) return []
      const rows = owned ? `the held-out rows of ${ownerWords(set)}` : 'the evaluation data'
      return [
        `${info.output_name} is worse than ${side.label}${side === proof.targets[0] ? '' : ' alone'} on ${rows}: loss ${loss(last.sets[at]?.loss)} ` +
          `against ${loss(before)}, a difference of ${loss(difference.mean)} (95 % interval ${loss(difference.low)} to ${loss(difference.high)}).`,
      ]
    })
  })
}

/** "48 held-out rows of wide and flat" */
export function rowWords(proof: Proof): string {
  if (proof.sets.length === 1 && proof.sets[0]?.name === 'evaluation data') return `${proof.rows} rows of the evaluation data`
  return `${proof.rows} held-out rows of ${listed(proof.sets.flatMap(owners))}`
}

/** The adapters that hold out those rows: "wide and flat". */
export function ownerWords(set: ProofSet): string {
  return listed(owners(set))
}

function owners({ name, shared = [] }: ProofSet): readonly string[] {
  return [name, ...shared]
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`
}
