/** What LoRA covers, worked out from the model's own modules: the same sums as the server's. */
import type { LoraKey, LoraTargets } from '@/api/generated'
import type { Draft } from '@/start/fields/fieldRules'
import { parameters } from '@/lib/format'

/** The keys that a preset or a custom list stands for. */
export function coveredKeys(targets: LoraTargets, choice: Draft): readonly LoraKey[] {
  const names = typeof choice === 'string' ? (targets.presets[choice] ?? []) : Array.isArray(choice) ? choice : []
  const wanted = new Set<string>(names)
  return targets.keys.filter((key) => wanted.has(key.name))
}

/** The chosen names that are no module of this model. */
export function unknownNames(targets: LoraTargets, chosen: readonly string[]): readonly string[] {
  return chosen.filter((name) => !targets.keys.some((key) => key.name === name))
}

export type TargetNotes = { readonly warnings: readonly string[]; readonly remarks: readonly string[] }

/** What the server says of this model's modules: names that match nothing are warned of. */
export function notesOf({ keys, notes, unmatched_seed_keys: unmatched }: LoraTargets): TargetNotes {
  const warns = (note: string) => keys.length === 0 || unmatched.some((name) => note.startsWith(`${name} `))
  return { warnings: notes.filter(warns), remarks: notes.filter((note) => !warns(note)) }
}

/** Blocks that get an adapter: the last N, -1 is all. */
export function coveredLayers(targets: LoraTargets, coverage: number): number {
  return coverage <= 0 ? targets.num_layers : Math.min(coverage, targets.num_layers)
}

/** The blocks, from 0, in which this matrix gets an adapter. */
export function coveredBlocks(targets: LoraTargets, key: LoraKey, coverage: number): readonly number[] {
  const first = targets.num_layers - coveredLayers(targets, coverage)
  return (key.layers ?? []).filter((layer) => layer >= first)
}

/** Trainable numbers of plain LoRA: rank × (inputs + outputs) for each copy of each covered matrix. */
export function trainableParameters(
  targets: LoraTargets,
  keys: readonly LoraKey[],
  { rank, coverage }: Extent,
): number {
  let sum = 0
  for (const key of keys) {
    const blocks = new Set(coveredBlocks(targets, key, coverage))
    key.layers?.forEach((layer, at) => {
      if (!blocks.has(layer)) return
      // Where blocks differ in size, each has its own.
      const [inputs, outputs, copies] = key.sizes?.[at] ?? [key.in, key.out, key.copies ?? 1]
      sum += rank * ((inputs ?? 0) + (outputs ?? 0)) * (copies ?? 1)
    })
  }
  return sum
}

export type Extent = { readonly rank: number; readonly coverage: number }

/** What plain LoRA trains of these matrices, in words; null where it can't be worked out here. */
export function trainableWords(targets: LoraTargets, keys: readonly LoraKey[], extent: Extent | null): string | null {
  return extent === null || targets.keys.length === 0 ? null : parameters(trainableParameters(targets, keys, extent))
}

/** The keys by their groups, in the order of the first of each. */
export function byGroup(keys: readonly LoraKey[]): ReadonlyMap<LoraKey['group'], readonly LoraKey[]> {
  const groups = new Map<LoraKey['group'], LoraKey[]>()
  for (const key of keys) groups.set(key.group, [...(groups.get(key.group) ?? []), key])
  return groups
}

type Scaling = { readonly rule: string; readonly alpha: number; readonly rank: number }

/** The factor on the adapter's branch. */
export function effectiveScale({ rule, alpha, rank }: Scaling): number {
  if (rule === 'alpha_over_rank') return alpha / rank
  if (rule === 'rslora') return alpha / Math.sqrt(rank)
  return alpha
}

/** The alpha that gives the same factor in PEFT, where it is divided by the rank. */
export function peftAlpha(scaling: Scaling): number {
  return effectiveScale(scaling) * scaling.rank
}

export const GROUP_NAMES: Record<LoraKey['group'], string> = {
  attention: 'attention',
  mlp: 'MLP',
  moe: 'experts and routers',
  linear_attention: 'linear attention',
  other: 'other',
}
