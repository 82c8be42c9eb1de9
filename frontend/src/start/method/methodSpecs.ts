/** The form of Enhanced Setup: the fields of every run, and those of the chosen method. */
import { ENHANCED_FIELDS, type Field, type FieldName } from '@/api/fields'
import type { MethodInfo, MethodParameter } from '@/api/generated'
import { draftOf } from '@/start/fields/fieldRules'
import type { Edits } from '@/start/fields/fieldRules'
import type { FormSpec } from '@/start/fields/spec'

export type Methods = Readonly<Record<string, MethodInfo>>

const KEY = 'droid.enhanced'
const KNOWN: ReadonlySet<string> = new Set(ENHANCED_FIELDS.map((field) => field.name))
const NO_CONTROL: readonly FieldName[] = ['resume_from', 'resume_checkpoint', 'queue', 'confirm_high_scale']
const FIRST_METHOD = 'grpo'

/** Every field of every method: for files and sessions, whose method is not known before. */
export const WHOLE: FormSpec = {
  key: KEY,
  known: KNOWN,
  fields: ENHANCED_FIELDS.map(plain),
  noControl: NO_CONTROL,
  pageDefaults: {},
}

/** The weights are numbers in a row; the form holds them as the text that the server takes too. */
function plain(field: Field): Field {
  return field.name === 'reward_weights' ? { ...field, kind: 'text', default: '' } : field
}

/** The method that the edits name, else GRPO, else whatever there is. */
export function methodOf(methods: Methods, edits: Edits): string | null {
  const chosen = edits.training_method
  if (typeof chosen === 'string' && chosen in methods) return chosen
  return FIRST_METHOD in methods ? FIRST_METHOD : (Object.keys(methods)[0] ?? null)
}

/** One spec per method, so that a form that has not changed is the same object. */
export function specsOf(methods: Methods): ReadonlyMap<string, FormSpec> {
  const own = new Set(Object.values(methods).flatMap((method) => method.additional_params.map(({ name }) => name)))
  const shared = WHOLE.fields.filter((field) => field.group !== 'method' && !own.has(field.name))
  return new Map(Object.entries(methods).map(([id, method]) => [id, specOf(id, method, shared)]))
}

function specOf(id: string, method: MethodInfo, shared: readonly Field[]): FormSpec {
  const chosen = WHOLE.fields.filter((field) => field.name === 'training_method').map((field) => ({ ...field, default: id }))
  const common = shared.map((field) => withDefault(field, method.defaults[field.name]))
  const fields = [...chosen, ...common, ...method.additional_params.map(fieldOf)]
  return { ...WHOLE, fields, pageDefaults: pageDefaults(id, method, fields) }
}

function withDefault(field: Field, value: unknown): Field {
  return value === undefined ? field : { ...field, default: value as NonNullable<Field['default']> }
}

function pageDefaults(id: string, { suggested }: MethodInfo, fields: readonly Field[]): Edits {
  const drafts: Record<string, unknown> = { adapter_name: `${id}_run` }
  for (const field of fields) {
    const draft = draftOf(field, suggested[field.name])
    if (field.name in suggested && draft !== undefined) drafts[field.name] = draft
  }
  return drafts as Edits
}

/** What the server says of a parameter goes before what the schema of all methods says. */
function fieldOf(parameter: MethodParameter): Field {
  const { name, title, help, type, nullable, minimum, maximum, above, below, options, unit, group, level } = parameter
  const known = WHOLE.fields.find((field) => field.name === name)
  const field: Field = {
    ...(known?.pattern ? { pattern: known.pattern } : {}),
    ...(known?.maxLength ? { maxLength: known.maxLength } : {}),
    ...(known?.when ? { when: known.when } : {}),
    ...(nullable ? { nullable: true } : {}),
    ...(minimum === null ? {} : { min: minimum }),
    ...(maximum === null ? {} : { max: maximum }),
    ...(above === null ? {} : { above }),
    ...(below === null ? {} : { below }),
    ...(options === null ? {} : { options }),
    ...(unit === null ? {} : { unit }),
    ...{ name, title, help, kind: type, group, level, default: parameter.default },
  }
  return plain(field)
}

/** Why a parameter does nothing with what the form holds; null where it counts. */
export function offReason(method: MethodInfo, name: string, values: Readonly<Record<string, unknown>>): string | null {
  const inactive = method.additional_params.find((parameter) => parameter.name === name)?.inactive
  if (!inactive) return null
  const equal = String(values[inactive.field]) === String(inactive.equals)
  return equal !== (inactive.otherwise ?? false) ? inactive.reason : null
}
