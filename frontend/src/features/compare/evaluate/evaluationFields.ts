/** The form of an evaluation: what is typed, what is allowed, what is sent. */
import type { EvaluationStart, MetricResult } from '@/api/generated'
import { parseNumber } from '@/lib/numbers'
import { readCheckpoint } from '@/features/compare/targets/targets'
import type { SetRun } from '@/features/compare/prompt/PromptSetDialog'
import type { Pair } from '@/features/compare/vote/vote'

export type Metric = MetricResult['id']
export type EvaluationFields = {
  /** The key of a pair of base and adapter; null: the one that is compared. */
  readonly pair: string | null
  readonly checkpoint: string | null
  /** Prompts that are asked in place of rows; null: rows. */
  readonly set: SetRun | null
  readonly rows: string
  readonly data: string
  readonly maxTokens: string
  readonly temperature: string
  readonly seed: string
  readonly metrics: readonly Metric[]
  /** Empty, `service`, or `model:` and its name. */
  readonly judge: string
  /** Of lm-eval: names or files, with commas between them. */
  readonly tasks: string
  readonly taskLimit: string
}

export const METRIC_NAMES: Readonly<Record<Metric, string>> = {
  loss: 'Loss per token',
  perplexity: 'Perplexity',
  exact_match: 'Exact match',
  token_f1: 'Token F1',
  rouge_l: 'ROUGE-L',
  number_match: 'Number match',
  valid_json: 'Valid JSON',
  length: 'Length',
  repetition: 'Repetition',
}
/** What an answer alone is measured by, without an expected one beside it. */
export const METRICS_OF_ANSWERS: readonly Metric[] = ['length', 'repetition']
export const ALL_METRICS = Object.keys(METRIC_NAMES) as readonly Metric[]

export const FORM: EvaluationFields = {
  pair: null,
  checkpoint: null,
  set: null,
  rows: '20',
  data: '',
  maxTokens: '300',
  temperature: '0',
  seed: '0',
  metrics: ALL_METRICS,
  judge: '',
  tasks: '',
  taskLimit: '',
}

/** By the server's names of the fields, so that its own refusals stand in the same places. */
export function formProblems(fields: EvaluationFields): Readonly<Record<string, string>> {
  const found: Record<string, string> = {}
  if (fields.set === null && !within(fields.rows, 1, 2000, true)) found['num_questions'] = 'A whole number from 1 to 2,000.'
  if (!within(fields.maxTokens, 1, 8192, true)) found['max_tokens'] = 'A whole number from 1 to 8,192.'
  if (!within(fields.temperature, 0, 2, false)) found['temperature'] = 'A number from 0 to 2.'
  if (!within(fields.seed, 0, 2 ** 32 - 1, true)) found['seed'] = 'A whole number from 0 to 4,294,967,295.'
  if (fields.taskLimit.trim() !== '' && !within(fields.taskLimit, 1, 100_000, true)) found['task_limit'] = 'A whole number from 1 to 100,000.'
  if (metricsOf(fields).length === 0) found['metrics'] = 'Choose at least one metric.'
  return found
}

/** Those that are measured, of what is ticked: prompts of a set have no expected answers. */
export function metricsOf({ set, metrics }: Pick<EvaluationFields, 'set' | 'metrics'>): readonly Metric[] {
  return set === null ? metrics : metrics.filter((each) => METRICS_OF_ANSWERS.includes(each))
}

type Ready = EvaluationFields & Pick<Pair, 'model' | 'adapter'> & { readonly checkpoint: string; readonly system: string | null }

/** What is sent; null while a field can't be. */
export function bodyFor(fields: Ready): EvaluationStart | null {
  if (Object.keys(formProblems(fields)).length > 0) return null
  const value = (text: string) => parseNumber(text) ?? 0
  return {
    adapter_name: fields.adapter,
    model_name: fields.model,
    checkpoint: readCheckpoint(fields.checkpoint),
    ...(fields.set === null
      ? { training_data_path: fields.data.trim() === '' ? null : fields.data.trim(), num_questions: value(fields.rows) }
      : { prompts: [...fields.set.prompts], prompt_set: fields.set.name.slice(0, 100), system: fields.system }),
    max_tokens: value(fields.maxTokens),
    temperature: value(fields.temperature),
    seed: value(fields.seed),
    metrics: fields.metrics.length === ALL_METRICS.length ? [] : [...metricsOf(fields)],
    judge: fields.judge !== '',
    judge_model: fields.judge.startsWith('model:') ? fields.judge.slice('model:'.length) : null,
    tasks: tasksOf(fields.tasks),
    task_limit: fields.taskLimit.trim() === '' ? null : value(fields.taskLimit),
  }
}

export function tasksOf(text: string): string[] {
  return text.split(',').map((each) => each.trim()).filter(Boolean)
}

function within(text: string, low: number, high: number, whole: boolean): boolean {
  const value = parseNumber(text)
  return value !== null && value >= low && value <= high && (!whole || Number.isInteger(value))
}
