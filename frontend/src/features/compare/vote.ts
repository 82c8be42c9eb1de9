/** Blind votes: who may meet, on which side, and who has won. */
import type { AvailableAdapter, AvailableModel } from '@/api/generated'
import type { Target } from './targets'

/** The first answer, the second one, or neither. */
export type Choice = 1 | 2 | 0
export type Pair = { readonly key: string; readonly model: string; readonly adapter: string }

export function pairsOf(models: readonly AvailableModel[], usable: (adapter: AvailableAdapter) => boolean): readonly Pair[] {
  return models
    .filter((model) => model.problem == null)
    .flatMap((model) =>
      model.adapters.filter(usable).map(({ name }) => ({ key: `${model.name}::${name}`, model: model.name, adapter: name })),
    )
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
