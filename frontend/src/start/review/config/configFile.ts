/** The form as a file: a plain request body, so that a script can send the same file. */
import { draftOf, type Edits } from '@/start/fields/fieldRules'
import { draftsOf, toRequest, type Values } from '@/start/fields/form'
import { fieldIn, hasField, type FormSpec } from '@/start/fields/spec'

/** An unfinished form is kept too, without what can't be sent yet. */
export function configText(spec: FormSpec, values: Values): string {
  return `${JSON.stringify(toRequest(spec, values).partial, null, 2)}\n`
}

export type LoadedConfig =
  | { readonly kind: 'config'; readonly edits: Edits; readonly left: readonly string[] }
  | { readonly kind: 'problem'; readonly message: string }

/** Reads a file's text; `left` names what it holds that this form does not know. */
export function readConfig(spec: FormSpec, text: string): LoadedConfig {
  const record = parseObject(text)
  if (!record) return { kind: 'problem', message: 'A settings file holds one JSON object, as Save settings writes it. The engine’s YAML can’t be loaded.' }
  const edits = draftsOf(spec, record)
  const left = Object.keys(record).filter((name) => !isKept(spec, name, record[name]))
  if (Object.keys(edits).length === 0) {
    return { kind: 'problem', message: 'This file has no known setting.' }
  }
  return { kind: 'config', edits, left }
}

function isKept(spec: FormSpec, name: string, value: unknown): boolean {
  if (!hasField(spec, name) || spec.noControl.includes(name)) return false
  return draftOf(fieldIn(spec, name), value) !== undefined
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null
  } catch {
    return null
  }
}
