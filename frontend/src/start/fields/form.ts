/**
 * The form as pure functions: defaults (of the schema, the page and the chosen model), the user's
 * edits over them, and the request that comes out. Only edits are kept; all else is derived.
 */
import type { Field, FieldName } from '@/api/fields'
import type { ModelInfo, RunDefaults } from '@/api/generated'
import { applies } from './applies'
import { fileDefaults, type TrainingFile } from './fileDefaults'
import { draftOf, parseDraft, type Draft, type Edits } from './fieldRules'
import { fieldIn, hasField, type FormSpec } from './spec'

export type Values = Readonly<Record<FieldName, Draft>>
export type FieldErrors = Readonly<Partial<Record<FieldName, string>>>

/** What says which run it is, not how it trains: never counted as unusual. */
const IDENTITY: ReadonlySet<FieldName> = new Set<FieldName>([
  'model_path',
  'train_data_path',
  'val_data_path',
  'adapter_name',
  'notes',
  'tags',
])

type Surroundings = {
  readonly model: ModelInfo | null
  /** Adapter names that are taken. */
  readonly taken?: ReadonlySet<string>
  /** The chosen training file: what nobody edited follows it. */
  readonly file?: TrainingFile | null
  /** The user's own defaults for new runs, from Settings. */
  readonly chosen?: RunDefaults | undefined
}

export function defaultsFor(spec: FormSpec, { model, taken = new Set(), file = null, chosen = {} }: Surroundings): Values {
  const schema = Object.fromEntries(spec.fields.map((field) => [field.name, draftOf(field, field.default) ?? '']))
  const page = { ...spec.pageDefaults, ...draftsOf(spec, chosen) }
  const merged = { ...schema, ...page, ...fileDefaults(spec, file), model_path: model?.path ?? '' } as Values
  const fits = { max_seq_length: atMost(merged.max_seq_length, model?.context_length) }
  return { ...merged, ...fits, adapter_name: freeName(String(merged.adapter_name), taken) }
}

/** The run that the model's folder suggests: the demo's own rows and settings. */
export function suggestedRun(spec: FormSpec, { model, taken = new Set() }: Surroundings): Values {
  const values = { ...defaultsFor(spec, { model, taken }), ...draftsOf(spec, model?.defaults ?? {}) }
  return { ...values, adapter_name: freeName(String(values.adapter_name), taken) }
}

/** A suggestion must be possible: no rows longer than what the model was made for. */
function atMost(draft: Draft, limit: number | null | undefined): Draft {
  return limit != null && Number(draft) > limit ? String(limit) : draft
}

/** A list of numbers in a field of text: the weights of reward functions. */
function asText(field: Field, value: unknown): unknown {
  return field.kind === 'text' && Array.isArray(value) ? JSON.stringify(value) : value
}

/** A request, or a part of one, as drafts; of iterations and epochs only what it names. */
export function draftsOf(spec: FormSpec, record: Readonly<Record<string, unknown>>): Edits {
  const drafts: Partial<Record<FieldName, Draft>> = {}
  for (const [name, value] of Object.entries(record)) {
    if (!hasField(spec, name) || spec.noControl.includes(name)) continue
    const draft = draftOf(fieldIn(spec, name), asText(fieldIn(spec, name), value))
    if (draft !== undefined) drafts[name] = draft
  }
  if (drafts.iterations && !drafts.epochs) drafts.epochs = ''
  else if (drafts.epochs) drafts.iterations = ''
  return drafts
}

/** A session's configuration as edits for a run like it, under a name of its own. */
export function handedEdits(spec: FormSpec, config: Readonly<Record<string, unknown>>, taken: ReadonlySet<string>): Edits {
  // Replacing an adapter and a risky scale are agreed to for one run.
  const drafts = draftsOf(spec, { ...config, overwrite: undefined, confirm_high_scale: undefined })
  const name = drafts.adapter_name
  if (typeof name !== 'string') return drafts
  // The session has the name, whether or not it is in the list.
  return { ...drafts, adapter_name: freeName(name, new Set([...taken, name])) }
}

export function valuesOf(edits: Edits, defaults: Values): Values {
  return { ...defaults, ...edits }
}

/** One edit. Iterations and epochs say the same thing: the one typed last holds. */
export function edited(edits: Edits, name: FieldName, draft: Draft): Edits {
  const next = { ...edits, [name]: draft }
  if (name === 'iterations') return { ...next, epochs: '' }
  if (name === 'epochs') return { ...next, iterations: '' }
  return next
}

export type Outcome<Request> = {
  /** What would be sent; null while something is missing or wrong. */
  readonly request: Request | null
  /** The fields that can be sent, complete or not. */
  readonly partial: Readonly<Record<string, unknown>>
  readonly errors: FieldErrors
}

export function toRequest<Request>(spec: FormSpec, values: Values): Outcome<Request> {
  const request: Record<string, unknown> = {}
  const errors: Partial<Record<FieldName, string>> = {}
  for (const field of spec.fields) {
    const name = field.name as FieldName
    if (spec.noControl.includes(name) || isLeftOut(values, name) || !applies(spec, values, name)) continue
    const parsed = parseDraft(field, values[name])
    if (parsed.kind === 'value') request[name] = parsed.value
    if (parsed.kind === 'problem') errors[name] = parsed.message
  }
  const complete = Object.keys(errors).length === 0
  // Each value was parsed by the rules of the same schema that this type is generated from.
  return { request: complete ? (request as Request) : null, partial: request, errors }
}

/** Of iterations and epochs the empty one. */
function isLeftOut(values: Values, name: FieldName): boolean {
  if (name === 'epochs') return values.epochs === ''
  return name === 'iterations' && values.iterations === '' && values.epochs !== ''
}

/** Settings that differ from the defaults; iterations and epochs count as one. */
export function unusualFields(spec: FormSpec, edits: Edits, defaults: Values): readonly FieldName[] {
  return spec.fields.map((field) => field.name as FieldName).filter((name) => {
    const draft = edits[name]
    if (draft === undefined || IDENTITY.has(name)) return false
    if (!applies(spec, { ...defaults, ...edits }, name)) return false
    if ((name === 'iterations' || name === 'epochs') && draft === '') return false
    return !sameDraft(draft, defaults[name])
  })
}

export function sameDraft(a: Draft, b: Draft): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

/** "name", "name_2", "name_3" …: the first that is free. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name
  let number = 2
  while (taken.has(`${name}_${number}`)) number += 1
  return `${name}_${number}`
}
