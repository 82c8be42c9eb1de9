/** What LoRA covers, worked out from the model's own modules: the same sums as the server's. */
import type { LoraKey, LoraTargets } from '@/api/generated'
import type { Draft } from './fieldRules'

/** The keys that a preset or a custom list stands for. */
export function coveredKeys(targets: LoraTargets, choice: Draft): readonly LoraKey[] {
  const names = typeof choice === 'string' ? (targets.presets[choice] ?? []) : Array.isArray(choice) ? choice : []
  const wanted = new Set<string>(names)
  return targets.keys.filter((key) => wanted.has(key.name))
}

/** Blocks that get an adapter: the last N, -1 is all. */
export function coveredLayers(targets: LoraTargets, coverage: number): number {
  return coverage <= 0 ? targets.num_layers : Math.min(coverage, targets.num_layers)
}

/**
 * Trainable numbers of plain LoRA: each matrix gets rank × (inputs + outputs), once per copy.
 * Null where a matrix is not in every block and only some blocks are covered: the modules' places
 * are then known to the server only.
 */
export function trainableParameters(
  targets: LoraTargets,
  keys: readonly LoraKey[],
  { rank, coverage }: { readonly rank: number; readonly coverage: number },
): number | null {
  const layers = coveredLayers(targets, coverage)
  let sum = 0
  for (const key of keys) {
    if (layers < targets.num_layers && key.modules !== targets.num_layers) return null
    const modules = layers === targets.num_layers ? key.modules : layers
    sum += rank * (key.inputs + key.outputs) * modules * (key.copies ?? 1)
  }
  return sum
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
  moe: 'experts',
  linear_attention: 'linear attention',
  other: 'other',
}
