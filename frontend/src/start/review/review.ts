/** What the review card says: ready, what is missing, what is unusual. Pure. */
import type { Problem } from '@/api/errors'
import type { FieldName } from '@/api/fields'
import { parseDraft, type Draft } from '@/start/fields/fieldRules'
import type { FieldErrors, Values } from '@/start/fields/form'
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

export type Warning = {
  readonly text: string
  /** One click that mends it. */
  readonly fix: { readonly label: string; readonly name: FieldName; readonly draft: Draft } | null
}

const USE_RATIO = { label: 'Use alpha / rank', name: 'lora_scaling', draft: 'alpha_over_rank' } as const

const REFUSE_ROWS = { label: 'Refuse them instead', name: 'on_bad_rows', draft: 'error' } as const

const HOLD_OUT = { label: 'Hold rows out instead', name: 'val_data_path', draft: '' } as const

/** How many rows the model's chat template can't take; null where that is not the problem. */
export function refusedRows(problem: Problem | null): number | null {
  if (problem?.code !== 'RowsRefused') return null
  const counts = [...problem.detail.matchAll(/(\d+) of (\d+) rows of /g)].map(([, bad, all]) => [Number(bad), Number(all)] as const)
  const whole = counts.length === 0 || counts.some(([bad, all]) => bad === all)
  return whole ? null : counts.reduce((sum, [bad]) => sum + bad, 0)
}

/** The server's warnings; those that have a remedy come with it. */
export function warningsOf(values: Values, answered: readonly string[]): readonly Warning[] {
  const canEase = values.lora_scaling === 'mlx'
  const skips = values.on_bad_rows === 'skip'
  return answered.map((text) => {
    if (values.val_data_path !== '' && /^The validation file .* may not belong to /.test(text)) return { text, fix: HOLD_OUT }
    if (skips && /rows of .* are left out \(line/.test(text)) return { text, fix: REFUSE_ROWS }
    return { text, fix: canEase && /\balpha_over_rank\b/.test(text) ? USE_RATIO : null }
  })
}

type Filled = { readonly spec: FormSpec; readonly values: Values }

/** A numeric field's value; null while it is empty or wrong. */
export function number({ spec, values }: Filled, name: FieldName): number | null {
  const parsed = parseDraft(fieldIn(spec, name), values[name])
  return parsed.kind === 'value' && typeof parsed.value === 'number' ? parsed.value : null
}
