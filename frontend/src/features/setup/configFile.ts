/** The form as a file: a plain request body, so that a script can send the same file. */
import { draftOf, fieldOf, isFieldName } from './fieldRules'
import { draftsOf, NO_CONTROL, toRequest, type Edits, type Values } from './form'

/** An unfinished form is kept too, without what can't be sent yet. */
export function configText(values: Values): string {
  return `${JSON.stringify(toRequest(values).partial, null, 2)}\n`
}

export type LoadedConfig =
  | { readonly kind: 'config'; readonly edits: Edits; readonly left: readonly string[] }
  | { readonly kind: 'problem'; readonly message: string }

/** Reads a file's text; `left` names what it holds that this form does not know. */
export function readConfig(text: string): LoadedConfig {
  const record = parseObject(text)
  if (!record) return { kind: 'problem', message: 'This is not a configuration file: it holds no JSON object.' }
  const edits = draftsOf(record)
  const left = Object.keys(record).filter((name) => !isKept(name, record[name]))
  if (Object.keys(edits).length === 0) {
    return { kind: 'problem', message: 'No setting in this file is known here.' }
  }
  return { kind: 'config', edits, left }
}

function isKept(name: string, value: unknown): boolean {
  if (!isFieldName(name) || NO_CONTROL.includes(name)) return false
  return draftOf(fieldOf(name), value) !== undefined
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
