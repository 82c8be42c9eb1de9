/** Whether a field of the form has an effect: what has none is neither shown nor sent. */
import { hasEffect } from '@/api/applies'
import type { FieldName } from '@/api/fields'
import type { Draft } from './fieldRules'
import { fieldsByName, type FormSpec } from './spec'

type Drafts = Readonly<Partial<Record<string, Draft>>>

export function applies(spec: FormSpec, drafts: Drafts, name: FieldName): boolean {
  return hasEffect(fieldsByName(spec), (field) => drafts[field.name], name)
}
