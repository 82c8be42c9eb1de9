/** What the review card says: ready, what is missing, what is unusual. Pure. */
import type { Problem } from '@/api/errors'
import type { FieldName } from '@/api/fields'
import { fieldOf, isFieldName, parseDraft, type Draft } from './fieldRules'
import type { FieldErrors, Values } from './form'
import { effectiveScale } from './lora'
import type { PreviewState } from './usePreview'
import { compact } from '@/lib/format'

export type Review =
  | { readonly kind: 'incomplete'; readonly missing: readonly Missing[] }
  | { readonly kind: 'checking' }
  | { readonly kind: 'refused'; readonly problem: Problem }
  | { readonly kind: 'ready' }

export type Missing = { readonly name: FieldName; readonly message: string }

export function reviewOf(errors: FieldErrors, state: PreviewState): Review {
  const missing = Object.entries(errors)
    .filter(([name]) => isFieldName(name))
    .map(([name, message]) => ({ name: name as FieldName, message: `${titleOf(name as FieldName)}: ${message}` }))
  if (missing.length > 0) return { kind: 'incomplete', missing: missing.map(withoutEcho) }
  if (state.problem) return { kind: 'refused', problem: state.problem }
  return state.fresh ? { kind: 'ready' } : { kind: 'checking' }
}

const titleOf = (name: FieldName) => fieldOf(name).title

/** "Model: Model is missing." says it twice. */
function withoutEcho({ name, message }: Missing): Missing {
  const echo = `${titleOf(name)}: ${titleOf(name)}`
  return { name, message: message.startsWith(echo) ? message.slice(titleOf(name).length + 2) : message }
}

/** Problems by field: the form's own first, then the server's. */
export function fieldErrors(local: FieldErrors, ...problems: readonly (Problem | null)[]): FieldErrors {
  return Object.assign({}, ...problems.map((each) => each?.fields ?? {}), local) as FieldErrors
}

export type Warning = {
  readonly text: string
  /** One click that mends it. */
  readonly fix: { readonly label: string; readonly name: FieldName; readonly draft: Draft } | null
}

const STRONG = 1e-3
const USE_RATIO = { label: 'Use alpha / rank', name: 'lora_scaling', draft: 'alpha_over_rank' } as const

/** The server's warnings, and the one that this page can tell before it answers. */
export function warningsOf(values: Values, answered: readonly string[]): readonly Warning[] {
  const strength = strengthOf(values)
  const fix = strength === null ? null : USE_RATIO
  const told = answered.map((text) => ({ text, fix: /\bscal(e|ing)\b/i.test(text) ? fix : null }))
  if (strength === null || told.some((each) => each.fix)) return told
  const text = `Scale × learning rate is ${compact(strength, 2)}: learns fast, and forgets more of the base.`
  return [...told, { text, fix }]
}

/** Scale × learning rate, where that is unusually strong and alpha / rank would ease it. */
function strengthOf(values: Values): number | null {
  if (values.fine_tune_type === 'full' || values.lora_scaling !== 'mlx') return null
  const [rate, alpha, rank] = [number(values, 'learning_rate'), number(values, 'lora_alpha'), number(values, 'lora_rank')]
  if (rate === null || alpha === null || rank === null) return null
  const strength = effectiveScale({ rule: 'mlx', alpha, rank }) * rate
  return strength >= STRONG && rank > 1 ? strength : null
}

/** A numeric field's value; null while it is empty or wrong. */
export function number(values: Values, name: FieldName): number | null {
  const parsed = parseDraft(fieldOf(name), values[name])
  return parsed.kind === 'value' && typeof parsed.value === 'number' ? parsed.value : null
}
