/** Whether a field has an effect beside the others, from the schema's own marks (`when`). */
import type { Field } from '@/api/fields'

/** A field that has no effect itself counts with its default, and one that is not there not at all. */
export function hasEffect(
  fields: ReadonlyMap<string, Field>,
  valueOf: (field: Field) => unknown,
  name: string,
): boolean {
  return Object.entries(fields.get(name)?.when ?? {}).every(([other, allowed]) => {
    const field = fields.get(other)
    if (!field) return true
    const value = hasEffect(fields, valueOf, other) ? valueOf(field) : field.default
    return allowed.some((each) => String(each) === String(value ?? ''))
  })
}
