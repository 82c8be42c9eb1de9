/** Every row: the question, what was expected, what each side answered, and how they scored. */
import { useMemo, useState } from 'react'
import type { EvaluationResult, GivenAnswer, MetricResult, QuestionResult } from '@/api/generated'
import { plural } from '@/lib/format'
import { Badge } from '@/ui/Badge'
import { Button } from '@/ui/controls/Button'
import { Card } from '@/ui/Card'
import { Notice } from '@/ui/feedback/Notice'
import { Segmented } from '@/ui/controls/Segmented'
import { Select } from '@/ui/controls/Select'
import { AnswerText, Thoughts } from '@/features/compare/ask/AnswerPanel'
import { judgedWords } from './judged'
import { chosenQuestions, gainOf, measuredOf, number, rowScore, VERDICTS, type QuestionFilter, type QuestionSort } from './verdict'

const PAGE = 10
const FILTERS: readonly { readonly value: QuestionFilter; readonly label: string }[] = [
  { value: 'all', label: 'All' },
  { value: 'better', label: 'Better' },
  { value: 'worse', label: 'Worse' },
  { value: 'same', label: 'Same' },
  { value: 'seen', label: 'Seen' },
  { value: 'failed', label: 'Failed' },
]
/** What only two sides have. */
const RANKED: ReadonlySet<QuestionFilter> = new Set(['better', 'worse', 'same'])
const SORTS: readonly { readonly value: QuestionSort; readonly label: string }[] = [
  { value: 'best', label: 'Best first' },
  { value: 'worst', label: 'Worst first' },
  { value: 'order', label: 'File order' },
]

export function QuestionList({ result }: { readonly result: EvaluationResult }) {
  const paired = result.targets.length > 1
  const metrics = measuredOf(result.metrics)
  const noun = result.prompt_set ? 'prompt' : 'row'
  const ranked = metrics.filter((metric) => metric.better !== 'neither')
  const [by, setBy] = useState<string>(() => (ranked.find((metric) => metric.id === 'token_f1') ?? ranked[0])?.id ?? '')
  const [filter, setFilter] = useState<QuestionFilter>('all')
  const [sort, setSort] = useState<QuestionSort>(paired && !result.prompt_set ? 'best' : 'order')
  const [limit, setLimit] = useState(PAGE)
  const metric = result.metrics.find((each) => each.id === by) ?? null
  const chosen = useMemo(() => chosenQuestions(result.questions, metric, filter, sort), [result, metric, filter, sort])
  const labels = result.targets.map((target) => target.label)
  return (
    <Card
      title="Questions"
      subtitle={`${chosen.length} of ${plural(result.questions.length, noun)}${paired && metric && !result.prompt_set ? `, by ${metric.name}` : ''}`}
      actions={
        <div className="flex max-w-full flex-wrap items-center gap-2">
          <Segmented
            label="Filter rows"
            value={filter}
            choices={FILTERS.filter(
              ({ value }) => (paired || !RANKED.has(value)) && (value !== 'seen' || !result.prompt_set),
            )}
            onChoose={(value) => {
              setFilter(value)
              setLimit(PAGE)
            }}
          />
          {paired ? (
            <>
              <Select
                aria-label="By metric"
                className="w-36"
                value={by}
                options={ranked.map((each) => ({ value: each.id, label: each.name }))}
                onChoose={setBy}
              />
              <Select
                aria-label="Order"
                className="w-36"
                value={sort}
                options={SORTS}
                onChoose={(value) => setSort(SORTS.find((each) => each.value === value)?.value ?? 'order')}
              />
            </>
          ) : null}
        </div>
      }
    >
      {chosen.length === 0 ? <p className="py-6 text-center text-soft">No matching rows</p> : null}
      <ol className="flex flex-col gap-3">
        {chosen.slice(0, limit).map((question) => (
          <QuestionItem key={question.line} question={question} noun={noun} metrics={metrics} metric={metric} labels={labels} />
        ))}
      </ol>
      {chosen.length > limit ? (
        <div className="mt-3 text-center">
          <Button size="small" onClick={() => setLimit(limit + 50)}>
            Show more rows
          </Button>
        </div>
      ) : null}
    </Card>
  )
}

type ItemProps = {
  readonly noun: 'prompt' | 'row'
  readonly question: QuestionResult
  readonly metrics: readonly MetricResult[]
  readonly metric: MetricResult | null
  readonly labels: readonly string[]
}

function QuestionItem({ noun, question, metrics, metric, labels }: ItemProps) {
  const gain = labels.length > 1 ? gainOf(question, metric) : null
  const verdict = gain === null ? null : gain > 0 ? 'better' : gain < 0 ? 'worse' : null
  return (
    <li className="flex min-w-0 flex-col gap-2.5 rounded-field border border-line p-3">
      <div className="flex flex-wrap items-center gap-2 text-small text-soft">
        {noun === 'row' ? 'Line' : 'Prompt'} {question.line.toLocaleString('en-US')}
        {question.seen ? (
          <Badge tone="warn" title="The same content was in the training data">
            seen in training
          </Badge>
        ) : null}
        {verdict ? <Badge tone={VERDICTS[verdict].tone}>{verdict}</Badge> : null}
        {gain === 0 ? <Badge>same</Badge> : null}
        {gain !== null && gain !== 0 ? (
          <span className="tabular-nums">
            {metric?.name} {number(Math.abs(gain))} {gain > 0 ? 'better' : 'worse'}
          </span>
        ) : null}
      </div>
      <Passage label="Question" text={questionText(question)} />
      {question.expected === null ? null : <Passage label="Expected" text={question.expected} />}
      <div className="grid grid-cols-1 gap-3 md:grid-cols-2">
        {question.answers.map((answer, at) => (
          <Given key={labels[at] ?? at} label={labels[at] ?? ''} answer={answer} metrics={metrics} />
        ))}
      </div>
    </li>
  )
}

type GivenProps = { readonly label: string; readonly answer: GivenAnswer; readonly metrics: readonly MetricResult[] }

function Given({ label, answer, metrics }: GivenProps) {
  const judged = judgedWords(answer.judged)
  return (
    <div className="flex min-w-0 flex-col gap-1.5 rounded-field bg-sunken p-2.5">
      <Thoughts of={label} text={answer.thoughts} />
      <Passage label={label} text={answer.answer ?? answer.text ?? ''} />
      {answer.problem ? <Notice tone="bad">{answer.problem}</Notice> : null}
      <dl className="mt-auto flex flex-wrap gap-x-3 gap-y-0.5 text-tiny text-soft">
        {metrics.map((metric) => (
          <div key={metric.id} className="flex gap-1">
            <dt>{metric.name}</dt>
            <dd className="font-medium text-ink">{rowScore(answer, metric)}</dd>
          </div>
        ))}
      </dl>
      {judged ? <p className="text-tiny text-soft">{judged}</p> : null}
    </div>
  )
}

function Passage({ label, text }: { readonly label: string; readonly text: string }) {
  return (
    <div className="min-w-0">
      <p className="text-tiny text-soft">{label}</p>
      {text === '' ? <p className="text-soft">(empty)</p> : <AnswerText label={label} text={text} short />}
    </div>
  )
}

function questionText({ messages }: QuestionResult): string {
  if (!messages) return ''
  const asked = messages.filter((message) => message['content'] != null)
  if (asked.length === 1) return String(asked[0]?.['content'])
  return asked.map((message) => `${String(message['role'])}: ${String(message['content'])}`).join('\n')
}
