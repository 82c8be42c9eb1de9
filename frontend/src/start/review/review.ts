/** What the review card says: ready, what is missing, what is unusual. Pure. */
import type { Problem } from '@/api/errors'
import type { FieldName } from '@/api/fields'
import { parseDraft, type Draft, type Edits } from '@/start/fields/fieldRules'
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
  /** A fact of the run, or something to think about before it. */
  readonly tone: 'info' | 'warn'
  /** One click that mends it. */
  readonly fix: { readonly label: string; readonly name: FieldName; readonly draft: Draft } | null
}

const USE_RATIO = { label: 'Use alpha / rank', name: 'lora_scaling', draft: 'alpha_over_rank' } as const

const REFUSE_ROWS = { label: 'Refuse the file instead', name: 'on_bad_rows', draft: 'error' } as const

const HOLD_OUT = { label: 'Hold rows out instead', name: 'val_data_path', draft: '' } as const

/** How many rows the model's chat template can't take; null where that is not the problem. */
export function refusedRows(problem: Problem | null): number | null {
  if (problem?.code !== 'RowsRefused') return null
  const counts = [...problem.detail.matchAll(/(\d+) of (\d+) rows of /g)].map(([, bad, all]) => [Number(bad), Number(all)] as const)
  const whole = counts.length === 0 || counts.some(([bad, all]) => bad === all)
  return whole ? null : counts.reduce((sum, [bad]) => sum + bad, 0)
}

/** What the server tells of how rows are read and split, which asks for no decision. */
const FACTS = /\bheld out\b|\bturned into conversations\b|\bis reused\b|\bpicks its own rate\b/
const STRONG = /\balpha_over_rank\b/
const STRENGTH: readonly FieldName[] = ['lora_rank', 'lora_alpha', 'lora_scaling', 'learning_rate']

/** The server's warnings; those that have a remedy come with it. What only defaults cause is a fact, not a warning. */
export function warningsOf(values: Values, answered: readonly string[], edits: Edits = {}): readonly Warning[] {
  const changed = new Set(STRENGTH.filter((name) => edits[name] !== undefined))
  const canEase = values.lora_scaling === 'mlx'
  const skips = values.on_bad_rows === 'skip'
  return answered.map((text) => {
    if (values.val_data_path !== '' && /^The validation file .* may not belong to /.test(text)) return { text, tone: 'warn', fix: HOLD_OUT }
    if (skips && /rows of .* are left out \(line/.test(text)) return { text, tone: 'warn', fix: REFUSE_ROWS }
    return { text, tone: isFact(text, changed) ? 'info' : 'warn', fix: canEase && STRONG.test(text) ? USE_RATIO : null }
  })
}

/** What only tells how rows are read, or what follows from defaults; `changed` are the fields that differ from them. */
export function isFact(text: string, changed: ReadonlySet<string>): boolean {
  return FACTS.test(text) || (STRONG.test(text) && STRENGTH.every((name) => !changed.has(name)))
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
