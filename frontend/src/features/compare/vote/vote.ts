/** Blind votes: who may meet, on which side, and who has won. */
import type { AvailableModels } from '@/api/generated'
import { baselessOf, isUsable, type Target } from '@/features/compare/targets/targets'

/** The first answer, the second one, or neither. */
export type Choice = 1 | 2 | 0
export type Pair = { readonly key: string; readonly label: string; readonly model: string; readonly adapter: string }

/** Every adapter with each base that it can stand on: its own, or those it fits if it records none. */
export function pairsOf(available: AvailableModels): readonly Pair[] {
  const baseless = baselessOf(available).filter(isUsable)
  return available.models.filter(isUsable).flatMap((model) => [
    ...model.adapters.filter(isUsable).map(({ name }) => pairOf(model.name, name, name)),
    ...baseless
      .filter((each) => each.fits?.includes(model.name))
      .map(({ name }) => pairOf(model.name, name, `${name} on ${model.name}`)),
  ])
}

function pairOf(model: string, adapter: string, label: string): Pair {
  return { key: `${model}::${adapter}`, label, model, adapter }
}

/** Either order is as likely as the other. */
export function shuffled(targets: readonly Target[], random: () => number = Math.random): readonly Target[] {
  return random() < 0.5 ? targets : [...targets].reverse()
}

export function winnerOf(choice: Choice, order: readonly Target[]): 'base' | 'adapter' | 'tie' {
  if (choice === 0) return 'tie'
  return order[choice - 1]?.adapter === null ? 'base' : 'adapter'
}

export function choiceOfKey(key: string): Choice | null {
  return key === '1' ? 1 : key === '2' ? 2 : key === '0' ? 0 : null
}
