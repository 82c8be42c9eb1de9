/** The reward functions as one line of text, which is how they are sent: "token_f1, length_window(20;80)". Pure. */

export type ChosenReward = {
  /** The function, without its brackets. */
  readonly name: string
  /** What stands in the brackets: "20;80". */
  readonly inside: string
  /** As typed; empty is 1. */
  readonly weight: string
}

/** Commas inside of brackets belong to the function; there a backslash takes the next letter with it. */
export function splitNames(text: string): readonly string[] {
  const names: string[] = []
  let depth = 0
  let name = ''
  let escaped = false
  for (const letter of text) {
    if (!escaped && letter === '(') depth += 1
    if (!escaped && letter === ')') depth = Math.max(0, depth - 1)
    if (letter === ',' && depth === 0) {
      names.push(name)
      name = ''
    } else name += letter
    escaped = !escaped && depth > 0 && letter === '\\'
  }
  return [...names, name].map((each) => each.trim()).filter(Boolean)
}

/** `weights` is a JSON array as text; one that can't be read counts as none. */
export function readChosen(names: string, weights: string): readonly ChosenReward[] {
  const numbers = readWeights(weights)
  return splitNames(names).map((text, index) => {
    const open = text.indexOf('(')
    return {
      name: open === -1 ? text : text.slice(0, open).trim(),
      inside: open === -1 ? '' : text.slice(open + 1).replace(/\)$/, ''),
      weight: numbers[index] ?? '',
    }
  })
}

export type RewardDrafts = { readonly names: string; readonly weights: string }

/** No weight at all is no list; with one, the others are 1. */
export function writeChosen(chosen: readonly ChosenReward[]): RewardDrafts {
  const weights = chosen.map(({ weight }) => (weight.trim() === '' ? '1' : weight.trim()))
  const usual = weights.every((weight) => Number(weight) === 1)
  return {
    names: chosen.map(wholeName).join(', '),
    weights: usual || chosen.length === 0 ? '' : `[${weights.join(', ')}]`,
  }
}

/** "length_window(20;80)", as it is named in the run's numbers too. */
export function wholeName({ name, inside }: Pick<ChosenReward, 'name' | 'inside'>): string {
  return inside.trim() === '' ? name : `${name}(${inside.trim()})`
}

/** One field for each parameter; a function with one takes the whole text, semicolons and all. */
export function insideParts(inside: string, parameters: number): readonly string[] {
  if (parameters <= 1) return [inside]
  const parts = inside.split(';')
  return Array.from({ length: parameters }, (_, index) => parts[index]?.trim() ?? '')
}

/** The text in the brackets after one part was edited; empty parts at the end are left out. */
export function withPart(inside: string, parameters: number, at: number, text: string): string {
  const parts = insideParts(inside, parameters).map((part, index) => (index === at ? text : part))
  while (parts.length > 0 && parts.at(-1) === '') parts.pop()
  return parts.join(';')
}

function readWeights(text: string): readonly string[] {
  const inner = /^\s*\[(.*)\]\s*$/s.exec(text)?.[1]
  return inner === undefined ? [] : inner.split(',').map((each) => each.trim())
}
