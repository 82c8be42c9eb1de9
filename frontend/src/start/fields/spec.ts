/** What one start page's form is made of; everything else in this room works for any of them. */
import type { Field, FieldName } from '@/api/fields'
import type { ModelInfo } from '@/api/generated'
import type { Edits } from './fieldRules'

export type FormSpec = {
  /** Where the edits are remembered. */
  readonly key: string
  /** Every name that the page may remember, also those not shown now. */
  readonly known: ReadonlySet<string>
  /** What the form has now, with the limits and defaults of now. */
  readonly fields: readonly Field[]
  /** Fields that other buttons than those of the form set. */
  readonly noControl: readonly FieldName[]
  /** Where the page suggests something else than the API's own default, which scripts rely on. */
  readonly pageDefaults: Edits
}

const maps = new WeakMap<FormSpec, ReadonlyMap<string, Field>>()

/** The field of that name; one of another page or method is a mistake of the caller. */
export function fieldIn(spec: FormSpec, name: FieldName): Field {
  const field = fieldsByName(spec).get(name)
  if (!field) throw new Error(`No field ${name}.`)
  return field
}

export function hasField(spec: FormSpec, name: string): name is FieldName {
  return fieldsByName(spec).has(name)
}

export function fieldsByName(spec: FormSpec): ReadonlyMap<string, Field> {
  const known = maps.get(spec)
  if (known) return known
  const made = new Map(spec.fields.map((field) => [field.name, field]))
  maps.set(spec, made)
  return made
}

/** The limits of the chosen model: as many layers as it has, or -1 for all of them. */
export function specFor(spec: FormSpec, model: ModelInfo | null): FormSpec {
  const layers = { min: 1, options: [-1], ...(model?.num_layers ? { max: model.num_layers } : {}) }
  return { ...spec, fields: spec.fields.map((field) => (field.name === 'lora_num_layers' ? { ...field, ...layers } : field)) }
}
