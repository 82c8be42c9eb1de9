/** What a measured difference says: only an interval that leaves out "no difference" says anything. */
import type { Estimate, EvaluationResult, MetricResult, QuestionResult } from '@/api/generated'
import { compact, plural, UNKNOWN } from '@/lib/format'
import type { Tone } from '@/ui/Badge'

export type Verdict = 'better' | 'worse' | 'differs' | 'same' | 'unsure' | 'unknown'

export const VERDICTS: Readonly<Record<Verdict, { readonly word: string; readonly tone: Tone }>> = {
  better: { word: 'better', tone: 'good' },
  worse: { word: 'worse', tone: 'bad' },
  differs: { word: 'differs', tone: 'accent' },
  same: { word: 'no difference', tone: 'neutral' },
  unsure: { word: 'inconclusive', tone: 'neutral' },
  unknown: { word: 'unknown', tone: 'neutral' },
}

/** The paired estimate, and the value of it that means "no difference". */
export function effectOf(metric: MetricResult): { readonly estimate: Estimate; readonly none: 0 | 1 } | null {
  if (metric.difference) return { estimate: metric.difference, none: 0 }
  if (metric.ratio) return { estimate: metric.ratio, none: 1 }
  return null
}

export function verdictOf(metric: MetricResult): Verdict {
  const effect = effectOf(metric)
  if (!effect) return 'unknown'
  const { low, high } = effect.estimate
  if (low === null || high === null) return 'unsure'
  if (low === effect.none && high === effect.none) return 'same'
  const rises = low > effect.none
  const falls = high < effect.none
  if (!rises && !falls) return 'unsure'
  if (metric.better === 'neither') return 'differs'
  return (metric.better === 'higher') === rises ? 'better' : 'worse'
}

/** Those that say something about these rows: not "valid JSON" where no answer is to be JSON. */
export function measuredOf(metrics: readonly MetricResult[]): readonly MetricResult[] {
  return metrics.filter((metric) => metric.values.some((value) => value !== null))
}

/** "Better on 4, inconclusive on 3 of 7 metrics." Those that don't apply don't count. */
export function summaryOf(result: EvaluationResult): string {
  const count = (verdict: Verdict) => result.metrics.filter((metric) => verdictOf(metric) === verdict).length
  const parts = (['better', 'worse', 'differs', 'same', 'unsure'] as const).flatMap((verdict) => {
    const number = count(verdict)
    return number === 0 ? [] : [`${VERDICTS[verdict].word} on ${number}`]
  })
  if (parts.length === 0) return 'Nothing could be compared.'
  const text = `${parts.join(', ')} of ${plural(measuredOf(result.metrics).length, 'metric')}.`
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** +37 points (33 to 41) of a share, −1.2 (−1.4 to −1) of a loss, ÷ 3.6 (3.2 to 4) of a perplexity. */
export function effectWords(metric: MetricResult): string {
  const effect = effectOf(metric)
  if (!effect) return UNKNOWN
  const { mean, low, high } = effect.estimate
  const known = low !== null && high !== null
  if (effect.none === 1) {
    // A very small factor reads better as how many times smaller.
    const falls = mean < 1 && mean > 0
    const turned = (value: number) => number(falls ? 1 / value : value)
    const [from, to] = falls ? [high, low] : [low, high]
    return `${falls ? '÷' : '×'} ${turned(mean)}${known && from && to ? ` (${turned(from)} to ${turned(to)})` : ''}`
  }
  const share = SHARES.has(metric.id)
  const words = (value: number) => number(share ? value * 100 : value)
  const range = known ? ` (${words(low)} to ${words(high)})` : ''
  return `${mean > 0 ? '+' : ''}${words(mean)}${share ? ' points' : ''}${range}`
}

/** Of all rows or words: shown in per cent. */
const SHARES: ReadonlySet<MetricResult['id']> = new Set(['exact_match', 'token_f1', 'rouge_l', 'number_match', 'valid_json', 'repetition'])

/** A mean as people read it: a share as 82 %, a perplexity as 3,250. */
export function scoreWords({ id }: MetricResult, value: number | null | undefined): string {
  return SHARES.has(id) && value != null ? `${number(value * 100)} %` : number(value)
}

export function number(value: number | null | undefined): string {
  return compact(value).replace('-', '−')
}

export type Span = { readonly from: number; readonly to: number; readonly middle: number }

/** Where the interval lies on a bar from 0 to 1 whose middle is "no difference"; null without one. */
export function spanOf(metric: MetricResult): Span | null {
  const effect = effectOf(metric)
  if (!effect || effect.estimate.low === null || effect.estimate.high === null) return null
  // A ratio of 2 and one of ½ are the same distance from none.
  const place = effect.none === 1 ? (value: number) => Math.log(Math.max(value, 1e-9)) : (value: number) => value
  const [low, high, mean] = [effect.estimate.low, effect.estimate.high, effect.estimate.mean].map(place) as [number, number, number]
  const reach = Math.max(Math.abs(low), Math.abs(high)) * 1.15
  const at = (value: number) => (reach === 0 ? 0.5 : 0.5 + value / (2 * reach))
  return { from: at(low), to: at(high), middle: at(mean) }
}

export type QuestionFilter = 'all' | 'better' | 'worse' | 'same' | 'seen' | 'failed'
export type QuestionSort = 'order' | 'best' | 'worst'

/** Adapter minus base by a metric, positive where the adapter is better; null where unknown. */
export function gainOf(question: QuestionResult, metric: MetricResult | null): number | null {
  if (!metric) return null
  const [base, adapter] = question.answers.map((answer) => scoreOf(answer, metric.id))
  if (base == null || adapter == null) return null
  return metric.better === 'lower' ? base - adapter : adapter - base
}

/** Loss and perplexity come per row as a sum over its tokens. */
function scoreOf(answer: QuestionResult['answers'][number], id: MetricResult['id']): number | null {
  if (id === 'loss' || id === 'perplexity') {
    const { loss, tokens } = answer
    if (loss == null || !tokens) return null
    return id === 'loss' ? loss / tokens : Math.exp(loss / tokens)
  }
  return answer.metrics[id] ?? null
}

export function rowScore(answer: QuestionResult['answers'][number], metric: MetricResult): string {
  return scoreWords(metric, scoreOf(answer, metric.id))
}

export function chosenQuestions(
  questions: readonly QuestionResult[],
  metric: MetricResult | null,
  filter: QuestionFilter,
  sort: QuestionSort,
): readonly QuestionResult[] {
  const kept = questions.filter((question) => passes(question, gainOf(question, metric), filter))
  if (sort === 'order') return kept
  const gains = new Map(kept.map((question) => [question, gainOf(question, metric)]))
  const known = kept.filter((question) => gains.get(question) !== null)
  const rest = kept.filter((question) => gains.get(question) === null)
  const up = sort === 'worst' ? 1 : -1
  return [...known.sort((a, b) => up * ((gains.get(a) ?? 0) - (gains.get(b) ?? 0))), ...rest]
}

function passes(question: QuestionResult, gain: number | null, filter: QuestionFilter): boolean {
  switch (filter) {
    case 'all':
      return true
    case 'better':
      return gain !== null && gain > 0
    case 'worse':
      return gain !== null && gain < 0
    case 'same':
      return gain === 0
    case 'seen':
      return question.seen
    case 'failed':
      return question.answers.some((answer) => answer.problem !== null)
  }
}
