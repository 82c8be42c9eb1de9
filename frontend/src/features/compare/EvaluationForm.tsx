/** What is evaluated: whose adapter, on how many rows, by which metrics, with or without a judge. */
import { useState } from 'react'
import type { EvaluationStart } from '@/api/generated'
import { Button } from '@/ui/Button'
import { Card } from '@/ui/Card'
import { ErrorPanel } from '@/ui/ErrorPanel'
import { Field } from '@/ui/Field'
import { Notice } from '@/ui/Notice'
import { NumberInput } from '@/ui/NumberInput'
import { Select } from '@/ui/Select'
import { checkpointsOf } from './choices'
import {
  ALL_METRICS,
  bodyFor,
  FORM,
  formProblems,
  METRIC_NAMES,
  type EvaluationFields,
  type Metric,
} from './evaluationFields'
import { RowsField } from './RowsField'
import { adapterNamed, checkpointWords, isUsable } from './targets'
import type { Evaluation } from './useEvaluation'
import type { Targets } from './useTargets'

type Props = {
  readonly all: Targets
  readonly evaluation: Evaluation
  readonly onStart: (body: EvaluationStart) => void
}

export function EvaluationForm({ all, evaluation, onStart }: Props) {
  const { available, targets } = all
  const [fields, setFields] = useState<EvaluationFields>(FORM)
  const change = (part: Partial<EvaluationFields>) => setFields((before) => ({ ...before, ...part }))
  const names = (available?.models ?? []).flatMap((model) => model.adapters.filter(isUsable).map((each) => each.name))
  const first = targets.find((target) => target.adapter !== null && names.includes(target.adapter))
  const adapter = fields.adapter ?? first?.adapter ?? names[0] ?? null
  const checkpoint = fields.checkpoint ?? (fields.adapter === null && first?.checkpoint != null ? String(first.checkpoint) : '')
  const found = adapter === null || !available ? null : adapterNamed(available, adapter)
  const problems = { ...evaluation.refused?.fields, ...formProblems(fields) }
  const body = adapter === null ? null : bodyFor({ ...fields, adapter, checkpoint })
  if (adapter === null) {
    return (
      <Card title="Evaluate base against adapter">
        <p className="text-soft">There is no adapter that can be evaluated yet. Train one first.</p>
      </Card>
    )
  }
  return (
    <Card
      title="Evaluate base against adapter"
      subtitle="On rows that the run held out: its test set, else its validation set."
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
              value={adapter}
              options={names.map((name) => ({ value: name, label: name }))}
              onChoose={(name) => change({ adapter: name, checkpoint: '' })}
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
              onChoose={(chosen) => change({ adapter, checkpoint: chosen })}
            />
          )}
        </Field>
        <Field label="Rows" help="1 to 2,000; more make the intervals narrower" error={problems['num_questions']}>
          {(control) => (
            <NumberInput {...control} value={fields.rows} onText={(rows) => change({ rows })} min={1} max={2000} step={10} />
          )}
        </Field>
        <Field label="Max tokens" help="Of each answer" error={problems['max_tokens']}>
          {(control) => (
            <NumberInput {...control} value={fields.maxTokens} onText={(maxTokens) => change({ maxTokens })} min={1} max={8192} step={50} />
          )}
        </Field>
      </div>
      <Metrics chosen={fields.metrics} onChoose={(metrics) => change({ metrics })} problem={problems['metrics']} />
      <details className="group">
        <summary className="w-fit rounded-small text-small font-medium text-soft hover:text-ink">More: rows of your own, judge, sampling</summary>
        <div className="mt-3 flex flex-col gap-3">
          <RowsField path={fields.data} problem={problems['training_data_path']} onPath={(data) => change({ data })} />
          <div className="grid grid-cols-1 gap-3 sm:grid-cols-2 lg:grid-cols-4">
            <Field label="Judge" help="Scores answers from 0 to 100, and says why" error={problems['judge'] ?? problems['judge_model']}>
              {(control) => (
                <Select
                  {...control}
                  value={fields.judge}
                  options={[
                    { value: '', label: 'No judge' },
                    { value: 'service', label: 'The service in DROID_JUDGE_URL' },
                    ...(available?.models ?? [])
                      .filter((model) => model.problem == null)
                      .map((model) => ({ value: `model:${model.name}`, label: `${model.name}, on this machine` })),
                  ]}
                  onChoose={(judge) => change({ judge })}
                />
              )}
            </Field>
            <Field label="Temperature" help="0 gives the same answers every time" error={problems['temperature']}>
              {(control) => (
                <NumberInput {...control} value={fields.temperature} onText={(temperature) => change({ temperature })} min={0} max={2} step={0.1} />
              )}
            </Field>
            <Field label="Seed" help="Of the choice of rows, and of sampling" error={problems['seed']}>
              {(control) => <NumberInput {...control} value={fields.seed} onText={(seed) => change({ seed })} min={0} step={1} />}
            </Field>
          </div>
        </div>
      </details>
      {evaluation.warnings.length > 0 ? <Notice tone="warn">{evaluation.warnings.join(' ')}</Notice> : null}
      {evaluation.refused ? <ErrorPanel message={evaluation.refused.detail} hint={evaluation.refused.hint} /> : null}
    </Card>
  )
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
