/** How answers are sampled: what is typed, what is allowed, what is sent. */
import { parseNumber } from '@/lib/numbers'

export type SamplingForm = {
  readonly system: string
  readonly maxTokens: string
  readonly temperature: string
  readonly topP: string
  readonly topK: string
  readonly minP: string
  readonly repetition: string
  readonly seed: string
  readonly raw: boolean
  readonly together: boolean
}

export type Sampling = {
  readonly max_tokens: number
  readonly temperature: number
  readonly top_p: number
  readonly top_k: number
  readonly min_p: number
  readonly repetition_penalty: number | null
  readonly seed: number | null
}

export const SAMPLING: SamplingForm = {
  system: '',
  maxTokens: '256',
  temperature: '0.7',
  topP: '0.9',
  topK: '40',
  minP: '0.05',
  repetition: '',
  seed: '',
  raw: false,
  together: true,
}

export type NumberField = 'maxTokens' | 'temperature' | 'topP' | 'topK' | 'minP' | 'repetition' | 'seed'
export type Limits = {
  readonly label: string
  readonly help: string
  readonly min: number
  readonly max: number
  /** The least value itself is not allowed. */
  readonly above?: boolean
  readonly whole?: boolean
  /** May be left empty. */
  readonly optional?: boolean
  readonly step: number
}

export const FIELDS: Readonly<Record<NumberField, Limits>> = {
  temperature: { label: 'Temperature', help: '0 = deterministic', min: 0, max: 5, step: 0.1 },
  maxTokens: { label: 'Max tokens', help: 'Per answer', min: 1, max: 131_072, whole: true, step: 64 },
  topP: { label: 'Top p', help: '1 = off', min: 0, max: 1, above: true, step: 0.05 },
  topK: { label: 'Top k', help: '0 = off', min: 0, max: 1_000_000, whole: true, step: 10 },
  minP: { label: 'Min p', help: '0 = off', min: 0, max: 1, step: 0.01 },
  repetition: { label: 'Repetition penalty', help: 'Empty = off', min: 0, max: 10, above: true, optional: true, step: 0.05 },
  seed: { label: 'Seed', help: 'Empty = random', min: 0, max: Number.MAX_SAFE_INTEGER, whole: true, optional: true, step: 1 },
}

/** Why what stands in the field can't be sent; null where it can. */
export function fieldProblem(field: NumberField, text: string): string | null {
  const { min, max, above, whole, optional } = FIELDS[field]
  if (text.trim() === '') return optional ? null : `A number ${range(min, max, above)}.`
  const value = parseNumber(text)
  const fits = value !== null && (above ? value > min : value >= min) && value <= max && (!whole || Number.isInteger(value))
  return fits ? null : `${whole ? 'A whole number' : 'A number'} ${range(min, max, above)}.`
}

function range(min: number, max: number, above: boolean | undefined): string {
  const top = max === Number.MAX_SAFE_INTEGER ? '' : ` to ${max.toLocaleString('en-US')}`
  return above ? `above ${min}, up to ${max.toLocaleString('en-US')}` : `from ${min}${top}`
}

/** What is sent; null while a field can't be. */
export function samplingOf(form: SamplingForm): Sampling | null {
  const fields = Object.keys(FIELDS) as NumberField[]
  if (fields.some((field) => fieldProblem(field, form[field]) !== null)) return null
  const needed = (text: string) => parseNumber(text) ?? 0
  return {
    max_tokens: needed(form.maxTokens),
    temperature: needed(form.temperature),
    top_p: needed(form.topP),
    top_k: needed(form.topK),
    min_p: needed(form.minP),
    repetition_penalty: parseNumber(form.repetition),
    seed: parseNumber(form.seed),
  }
}

/** What was remembered, where it still has this shape. */
export function readForm(stored: unknown): SamplingForm | undefined {
  if (typeof stored !== 'object' || stored === null) return undefined
  const known = Object.entries(stored).filter(([key, value]) => typeof value === typeof SAMPLING[key as keyof SamplingForm])
  return { ...SAMPLING, ...Object.fromEntries(known) }
}
