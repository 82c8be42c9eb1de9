/** Whether a field has an effect beside the others: what has none is neither shown nor sent. */
import type { Field, FieldName } from '@/api/fields'
import { draftOf, type Draft } from './fieldRules'
import { fieldIn, hasField, type FormSpec } from './spec'

type Drafts = Readonly<Partial<Record<FieldName, Draft>>>

/** From the schema's own marks. A field that does not apply itself counts with its default. */
export function applies(spec: FormSpec, drafts: Drafts, name: FieldName): boolean {
  const conditions = Object.entries(hasField(spec, name) ? (fieldIn(spec, name).when ?? {}) : {})
  return conditions.every(([other, allowed]) => {
    if (!hasField(spec, other)) return true // This page has no such choice to make.
    const field = fieldIn(spec, other)
    const draft = applies(spec, drafts, other) ? drafts[other] : defaultOf(field)
    return allowed.some((value) => String(value) === String(draft ?? ''))
  })
}

function defaultOf(field: Field): Draft {
  return draftOf(field, field.default) ?? ''
}
