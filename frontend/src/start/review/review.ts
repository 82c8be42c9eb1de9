/** What the review card says: ready, what is missing, what is unusual. Pure. */
import type { Problem } from '@/api/errors'
import type { FieldName } from '@/api/fields'
import type { StartRemark } from '@/api/generated'
import { draftOf, parseDraft, type Draft } from '@/start/fields/fieldRules'
import { sameDraft, type FieldErrors, type Values } from '@/start/fields/form'
import type { PreviewState } from './previewState'
import { fieldIn, hasField, type FormSpec } from '@/start/fields/spec'

export type Review =
  | { readonly kind: 'incomplete'; readonly missing: readonly Missing[] }
  | { readonly kind: 'checking' }
  | { readonly kind: 'refused'; readonly problem: Problem }
  | { readonly kind: 'ready' }

export type Missing = { readonly name: FieldName; readonly message: string }

export function reviewOf(spec: FormSpec, errors: FieldErrors, state: PreviewState): Review {
  const titleOf = (name: FieldName) => fieldIn(spec, name).title
  const missing = Object.entries(errors)
    .flatMap(([name, message]) => (hasField(spec, name) ? [{ name, message: withoutEcho(titleOf(name), message) }] : []))
  if (missing.length > 0) return { kind: 'incomplete', missing }
  if (state.problem) return { kind: 'refused', problem: state.problem }
  return state.fresh ? { kind: 'ready' } : { kind: 'checking' }
}

/** "Model: Model is missing." says it twice. */
function withoutEcho(title: string, message: string): string {
  return message.startsWith(title) ? message : `${title}: ${message}`
}

/** A start that was refused for what goes on now can wait for its end. */
export function offersQueue(problem: Problem | null): boolean {
  return problem?.code === 'RunAlreadyActive' || problem?.code === 'EvaluationActive'
}

/** Problems by field: the form's own first, then the server's. */
export function fieldErrors(local: FieldErrors, ...problems: readonly (Problem | null)[]): FieldErrors {
  return Object.assign({}, ...problems.map((each) => each?.fields ?? {}), local) as FieldErrors
}

export type Fix = { readonly label: string; readonly name: FieldName; readonly draft: Draft }

/** The press that does what a remark advises; null where the form has no such field, or holds that already. */
export function fixOf({ spec, values }: Filled, { fix }: StartRemark): Fix | null {
  if (!fix || !hasField(spec, fix.field)) return null
  const draft = draftOf(fieldIn(spec, fix.field), fix.value)
  if (draft === undefined || sameDraft(values[fix.field], draft)) return null
  return { label: fix.label, name: fix.field, draft }
}

/** Rows that the model's chat template can't take can be left out, unless they are all there are: then the server names no such field. */
export function leavesRowsOut(problem: Problem | null): boolean {
  return problem?.code === 'RowsRefused' && 'on_bad_rows' in problem.fields
}

type Filled = { readonly spec: FormSpec; readonly values: Values }

/** A numeric field's value; null while it is empty or wrong. */
export function number({ spec, values }: Filled, name: FieldName): number | null {
  const parsed = parseDraft(fieldIn(spec, name), values[name])
  return parsed.kind === 'value' && typeof parsed.value === 'number' ? parsed.value : null
}

const SHORT = 90

/** The part of a long sentence that names the matter; null where the sentence is short enough to stand whole. */
export function headline(text: string): string | null {
  if (text.length <= SHORT) return null
  const end = [...text.matchAll(/[:;.] /g)].find(({ index }) => index >= 20)
  return end ? `${text.slice(0, end.index)}.` : null
}
