/** What is evaluated: whose adapter, on how many rows, by which metrics, with or without a judge. */
import { useState } from 'react'
import type { EvaluationStart } from '@/api/generated'
import { Button } from '@/ui/controls/Button'
import { Card } from '@/ui/Card'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { Field } from '@/ui/controls/Field'
import { Notice } from '@/ui/feedback/Notice'
import { NumberInput } from '@/ui/controls/NumberInput'
import { Select } from '@/ui/controls/Select'
import { checkpointsOf } from '@/features/compare/targets/choices'
import {
  ALL_METRICS,
  bodyFor,
  FORM,
  formProblems,
  METRIC_NAMES,
  type EvaluationFields,
  type Metric,
} from './evaluationFields'
import { EvaluationMore } from './EvaluationMore'
import { adapterNamed, checkpointWords, type Target } from '@/features/compare/targets/targets'
import type { Evaluation } from './useEvaluation'
import type { Targets } from '@/features/compare/targets/useTargets'
import { pairsOf, type Pair } from '@/features/compare/vote/vote'

type Props = {
  readonly all: Targets
  readonly evaluation: Evaluation
  readonly onStart: (body: EvaluationStart) => void
}

export function EvaluationForm({ all, evaluation, onStart }: Props) {
  const { available, targets } = all
  const [fields, setFields] = useState<EvaluationFields>(FORM)
  const change = (part: Partial<EvaluationFields>) => setFields((before) => ({ ...before, ...part }))
  const pairs = available ? pairsOf(available) : []
  const first = targets.find((target) => pairs.some((each) => isOf(each, target)))
  const pair = pairs.find((each) => each.key === fields.pair) ?? pairs.find((each) => first && isOf(each, first)) ?? pairs[0] ?? null
  const checkpoint = fields.checkpoint ?? (fields.pair === null && first?.checkpoint != null ? String(first.checkpoint) : '')
  const found = pair === null || !available ? null : adapterNamed(available, pair.adapter)
  const problems = { ...evaluation.refused?.fields, ...formProblems(fields) }
  const body = pair === null ? null : bodyFor({ ...fields, ...pair, checkpoint })
  if (pair === null) {
    return (
      <Card title="Evaluate base vs adapter">
        <p className="text-soft">There is no adapter that can be evaluated yet. Train one first.</p>
      </Card>
    )
  }
  return (
    <Card
      title="Evaluate base vs adapter"
      subtitle="On held-out rows: the run’s test set, or else its validation set."
      actions={
        <Button
          kind="primary"
          disabled={body === null}
          busy={evaluation.starting && 'Starting…'}
          onClick={() => body && onStart(body)}
        >
          Evaluate
        </Button>
      }
      bodyClassName="flex flex-col gap-4"
    >
      <div className="grid grid-cols-1 gap-3 sm:grid-cols-2 lg:grid-cols-4">
        <Field label="Adapter">
          {(control) => (
            <Select
              {...control}
              value={pair.key}
              options={pairs.map(({ key, label }) => ({ value: key, label }))}
              onChoose={(key) => change({ pair: key, checkpoint: '' })}
            />
          )}
        </Field>
        <Field label="Checkpoint">
          {(control) => (
            <Select
              {...control}
              value={checkpoint}
              options={[
                { value: '', label: 'Best, else latest' },
                ...(found ? checkpointsOf(found) : []).map((each) => ({ value: String(each), label: checkpointWords(each) })),
              ]}
              onChoose={(chosen) => change({ pair: pair.key, checkpoint: chosen })}
            />
          )}
        </Field>
        <Field label="Rows" help="1 to 2,000; more rows give narrower intervals" error={problems['num_questions']}>
          {(control) => (
            <NumberInput {...control} value={fields.rows} onText={(rows) => change({ rows })} min={1} max={2000} step={10} />
          )}
        </Field>
        <Field label="Max tokens" help="Per answer" error={problems['max_tokens']}>
          {(control) => (
            <NumberInput {...control} value={fields.maxTokens} onText={(maxTokens) => change({ maxTokens })} min={1} max={8192} step={50} />
          )}
        </Field>
      </div>
      <Metrics chosen={fields.metrics} onChoose={(metrics) => change({ metrics })} problem={problems['metrics']} />
      <EvaluationMore fields={fields} problems={problems} models={available?.models ?? []} onChange={change} />
      {evaluation.warnings.length > 0 ? <Notice tone="warn">{evaluation.warnings.join(' ')}</Notice> : null}
      {evaluation.refused ? <ErrorPanel message={evaluation.refused.detail} hint={evaluation.refused.hint} /> : null}
    </Card>
  )
}

function isOf(pair: Pair, target: Target): boolean {
  return pair.model === target.model && pair.adapter === target.adapter
}

type MetricsProps = {
  readonly chosen: readonly Metric[]
  readonly onChoose: (metrics: readonly Metric[]) => void
  readonly problem: string | undefined
}

function Metrics({ chosen, onChoose, problem }: MetricsProps) {
  return (
    <fieldset className="flex flex-col gap-1.5">
      <legend className="mb-1.5 text-small font-medium">Metrics</legend>
      <div className="flex flex-wrap gap-x-5 gap-y-2">
        {ALL_METRICS.map((metric) => (
          <label key={metric} className="flex items-center gap-2 text-small">
            <input
              type="checkbox"
              className="size-4 accent-accent"
              checked={chosen.includes(metric)}
              onChange={(event) => onChoose(ALL_METRICS.filter((each) => (each === metric ? event.target.checked : chosen.includes(each))))}
            />
            {METRIC_NAMES[metric]}
          </label>
        ))}
      </div>
      {problem ? <p className="text-tiny text-bad">{problem}</p> : null}
    </fieldset>
  )
}
