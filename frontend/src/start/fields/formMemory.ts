/** The form between visits. What was stored by another version, or is garbage, is left out. */
import type { Draft, Edits } from './fieldRules'
import type { FormSpec } from './spec'
import { forgetDraft, readDraft, writeDraft } from '@/lib/storage'

export type Level = 'simple' | 'advanced'
export type Remembered = { readonly edits: Edits; readonly level: Level }

const NOTHING: Remembered = { edits: {}, level: 'simple' }

export function recallForm({ key, known }: FormSpec): Remembered {
  return readDraft(key, (stored) => parse(stored, known)) ?? NOTHING
}

export function rememberForm({ key }: FormSpec, form: Remembered): void {
  writeDraft(key, form)
}

export function forgetForm({ key }: FormSpec): void {
  forgetDraft(key)
}

function parse(stored: unknown, names: ReadonlySet<string>): Remembered | undefined {
  if (typeof stored !== 'object' || stored === null) return undefined
  const { edits, level } = stored as { readonly edits?: unknown; readonly level?: unknown }
  const entries = typeof edits === 'object' && edits !== null ? Object.entries(edits) : []
  const known = entries.filter((entry): entry is [string, Draft] => names.has(entry[0]) && isDraft(entry[1]))
  return { edits: Object.fromEntries(known), level: level === 'advanced' ? 'advanced' : 'simple' }
}

function isDraft(value: unknown): value is Draft {
  if (typeof value === 'string' || typeof value === 'boolean') return true
  return Array.isArray(value) && value.every((each) => typeof each === 'string')
}
