/** What a field holds while it is edited, what it means, and what is wrong with it. */
import type { Field, FieldName } from '@/api/fields'
import { numberText, parseNumber } from '@/lib/numbers'
import { parseRanks, ranksTextOf } from '@/lib/ranks'

/** Text as typed, a switch, or a list of module names or of texts. '' stands for null where that is allowed. */
export type Draft = string | boolean | readonly string[]
/** What the user changed; all else is derived. */
export type Edits = Readonly<Partial<Record<FieldName, Draft>>>

export type Parsed =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'absent' }
  | { readonly kind: 'problem'; readonly message: string }

/** A value as the request spells it → as the form holds it; undefined where it can't be held. */
export function draftOf(field: Field, value: unknown): Draft | undefined {
  if (value === null || value === undefined) return field.nullable ? '' : undefined
  if (field.kind === 'boolean') return typeof value === 'boolean' ? value : undefined
  if (Array.isArray(value)) return draftOfList(field, value.filter((each) => typeof each === 'string'))
  if (field.kind === 'ranks') return typeof value === 'object' ? ranksTextOf(value) : undefined
  if (typeof value === 'number') return numberText(value)
  return typeof value === 'string' ? value : undefined
}

function draftOfList(field: Field, items: readonly string[]): Draft | undefined {
  if (field.kind === 'list') return items.join(', ')
  return field.kind === 'keys' || field.kind === 'texts' ? items : undefined
}

export function parseDraft(field: Field, draft: Draft): Parsed {
  if (typeof draft === 'boolean') return { kind: 'value', value: draft }
  if (typeof draft !== 'string') return field.kind === 'texts' ? parseTexts(field, draft) : parseKeys(draft)
  const text = draft.trim()
  switch (field.kind) {
    case 'number':
    case 'integer':
      return text === '' && field.nullable ? { kind: 'absent' } : parseNumeric(field, text)
    case 'choice':
      return parseChoice(field, text)
    case 'ranks':
      return parseRanks(field, draft)
    case 'list':
      return { kind: 'value', value: text.split(',').map((each) => each.trim()).filter(Boolean) }
    default:
      return parseText(field, draft)
  }
}

function parseKeys(keys: readonly string[]): Parsed {
  return keys.length > 0
    ? { kind: 'value', value: keys }
    : { kind: 'problem', message: 'Choose at least one matrix.' }
}

/** Boxes that are left empty are no texts. */
function parseTexts({ title, max, maxLength }: Field, drafts: readonly string[]): Parsed {
  const texts = drafts.filter((text) => text.trim() !== '')
  if (max !== undefined && texts.length > max) {
    return { kind: 'problem', message: `${title}: at most ${max}; these are ${texts.length}.` }
  }
  const long = maxLength === undefined ? undefined : texts.find((text) => text.length > maxLength)
  if (long !== undefined) {
    return { kind: 'problem', message: `At most ${maxLength} characters each; one has ${long.length}.` }
  }
  return { kind: 'value', value: texts }
}

function parseChoice(field: Field, text: string): Parsed {
  const chosen = field.options?.find((option) => String(option) === text)
  if (chosen !== undefined) return { kind: 'value', value: chosen }
  return field.nullable && text === '' ? { kind: 'absent' } : { kind: 'problem', message: 'Choose one.' }
}

function parseText(field: Field, text: string): Parsed {
  if (text.trim() === '' && field.nullable) return { kind: 'absent' }
  if (text.trim() === '' && field.required) return { kind: 'problem', message: `${field.title} is missing.` }
  if (field.pattern && !new RegExp(field.pattern).test(text)) {
    const why = text === '' ? `${field.title} is missing.` : `“${text}” can’t be used.`
    return { kind: 'problem', message: `${why} ${field.help}`.trim() }
  }
  if (field.maxLength && text.length > field.maxLength) {
    return { kind: 'problem', message: `At most ${field.maxLength} characters; this has ${text.length}.` }
  }
  return { kind: 'value', value: text }
}

function parseNumeric(field: Field, text: string): Parsed {
  const value = parseNumber(text)
  const whole = field.kind !== 'integer' || Number.isInteger(value)
  if (value === null || !whole || !within(field, value)) {
    return { kind: 'problem', message: `${allowed(field, value)}${text === '' ? '' : `; not ${text}`}.` }
  }
  return { kind: 'value', value }
}

function within({ min, max, above, below, options }: Field, value: number): boolean {
  // A number with a meaning of its own, beside the range.
  if (options?.includes(value)) return true
  if (min !== undefined && value < min) return false
  if (max !== undefined && value > max) return false
  if (above !== undefined && value <= above) return false
  return below === undefined || value < below
}

/** A largest value above this only keeps numbers out that nobody means: not worth a word before. */
const FAR = 1_000_000

/** "A whole number from 1 to 512". */
function allowed({ kind, min, max: most, above, below }: Field, given: number | null): string {
  const max = most !== undefined && (most < FAR || (given ?? 0) > most) ? most : undefined
  const noun = kind === 'integer' ? 'A whole number' : 'A number'
  const low = min !== undefined ? `from ${numberText(min)}` : above !== undefined ? `above ${numberText(above)}` : ''
  const high = max !== undefined ? `to ${numberText(max)}` : below !== undefined ? `below ${numberText(below)}` : ''
  const joined = low && high && below !== undefined ? `${low} and ${high}` : [low, high].filter(Boolean).join(' ')
  return `${noun} ${joined}${min !== undefined && !high ? ' up' : ''}`.trim()
}
