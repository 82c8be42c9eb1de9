/** A field that was never touched is missing in the review card, but not yet red. */
import type { FieldErrors } from './form'
import type { StartForm } from './useStartForm'

export function touchedOnly({ errors, edits }: Pick<StartForm, 'errors' | 'edits'>): FieldErrors {
  return Object.fromEntries(Object.entries(errors).filter(([name]) => name in edits))
}
