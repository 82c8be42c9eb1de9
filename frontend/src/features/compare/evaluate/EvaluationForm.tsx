/** What is evaluated: whose adapter, on how many rows, by which metrics, with or without a judge. */
import { useDispatch, useSelector } from 'react-redux'
import { useAdapterPromptsQuery, type EvaluationStart } from '@/api/generated'
import { selectIsLive } from '@/run/reducer/runSlice'
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
  formProblems,
  METRIC_NAMES,
  METRICS_OF_ANSWERS,
  type EvaluationFields,
  type Metric,
} from './evaluationFields'
import { EvaluationMore } from './EvaluationMore'
import { QuestionSource } from './QuestionSource'
import { evaluationPostponed, evaluationReleased, selectPostponed } from '@/features/compare/waiting/waitingSlice'
import { adapterNamed, checkpointWords, type Target } from '@/features/compare/targets/targets'
import type { Evaluation } from './useEvaluation'
import type { Targets } from '@/features/compare/targets/useTargets'
import { pairsOf, type Pair } from '@/features/compare/vote/vote'

type Props = {
  readonly all: Targets
  readonly evaluation: Evaluation
  readonly fields: EvaluationFields
  readonly onFields: (fields: EvaluationFields) => void
  readonly onStart: (body: EvaluationStart) => void
}

export function EvaluationForm({ all, evaluation, fields, onFields, onStart }: Props) {
  const { available, targets } = all
  const live = useSelector(selectIsLive)
  const postponed = useSelector(selectPostponed)
  const dispatch = useDispatch()
  const change = (part: Partial<EvaluationFields>) => onFields({ ...fields, ...part })
  const pairs = available ? pairsOf(available) : []
  const first = targets.find((target) => pairs.some((each) => isOf(each, target)))
  const pair = pairs.find((each) => each.key === fields.pair) ?? pairs.find((each) => first && isOf(each, first)) ?? pairs[0] ?? null
  const checkpoint = fields.checkpoint ?? (fields.pair === null && first?.checkpoint != null ? String(first.checkpoint) : '')
  const found = pair === null || !available ? null : adapterNamed(available, pair.adapter)
  const problems = { ...evaluation.refused?.fields, ...formProblems(fields) }
  const { set } = fields
  const { currentData: trained } = useAdapterPromptsQuery({ name: pair?.adapter ?? '' }, { skip: pair === null || set === null })
  const system = trained?.system ?? null
  const body = pair === null ? null : bodyFor({ ...fields, ...pair, checkpoint, system })
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
      subtitle={
        set === null
          ? 'On held-out rows: the run’s test set, or else its validation set.'
          : `On ${set.name}: both answer every prompt, side by side.`
      }
      actions={
        live ? (
          <Button kind="primary" disabled={body === null || postponed !== null} onClick={() => body && dispatch(evaluationPostponed(body))}>
            Evaluate when training ends
          </Button>
        ) : (
          <Button
            kind="primary"
            disabled={body === null || (set !== null && trained === undefined)}
            busy={evaluation.starting && 'Starting…'}
            onClick={() => {
              // Chosen now, whatever the page compares by the time it is done.
              change({ pair: pair.key, checkpoint })
              if (body) onStart(body)
            }}
          >
            Evaluate
          </Button>
        )
      }
      bodyClassName="flex flex-col gap-4"
    >
      {live && postponed === null ? (
        <Notice>Training in progress, and the memory holds one model at a time. The evaluation can start when it ends.</Notice>
      ) : null}
      {postponed ? (
        <Notice tone="info" title={`The evaluation of ${postponed.adapter_name} starts when training ends.`}>
          <span className="flex flex-wrap items-center gap-2">
            Keep this window open; you can go to other pages.
            <Button size="small" onClick={() => dispatch(evaluationReleased())}>
              Cancel
            </Button>
          </span>
        </Notice>
      ) : null}
      <div className="grid grid-cols-1 gap-3 sm:grid-cols-2 lg:grid-cols-[repeat(3,minmax(0,1fr))_8rem_8rem]">
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
        <QuestionSource set={set} onSet={(next) => change({ set: next })} error={problems['prompts']} />
        {set === null ? (
          <Field label="Rows" help="1 to 2,000" error={problems['num_questions']}>
            {(control) => (
              <NumberInput {...control} value={fields.rows} onText={(rows) => change({ rows })} min={1} max={2000} step={10} />
            )}
          </Field>
        ) : null}
        <Field label="Max tokens" help="Per answer" error={problems['max_tokens']}>
          {(control) => (
            <NumberInput {...control} value={fields.maxTokens} onText={(maxTokens) => change({ maxTokens })} min={1} max={8192} step={50} />
          )}
        </Field>
      </div>
      <Metrics
        offered={set === null ? ALL_METRICS : METRICS_OF_ANSWERS}
        chosen={fields.metrics}
        onChoose={(metrics) => change({ metrics })}
        problem={problems['metrics']}
      />
      {set === null ? null : (
        <p className="text-small text-soft">
          A prompt set has no expected answers to score against: read the answers side by side, or choose a judge under More.
          {system === null ? '' : ' They are asked with the system prompt of the training rows.'}
        </p>
      )}
      <EvaluationMore fields={fields} problems={problems} models={available?.models ?? []} onChange={change} />
      {evaluation.refused ? <ErrorPanel message={evaluation.refused.detail} hint={evaluation.refused.hint} /> : null}
    </Card>
  )
}

function isOf(pair: Pair, target: Target): boolean {
  return pair.model === target.model && pair.adapter === target.adapter
}

type MetricsProps = {
  readonly offered: readonly Metric[]
  readonly chosen: readonly Metric[]
  readonly onChoose: (metrics: readonly Metric[]) => void
  readonly problem: string | undefined
}

function Metrics({ offered, chosen, onChoose, problem }: MetricsProps) {
  return (
    <fieldset className="flex flex-col gap-1.5">
      <legend className="mb-1.5 text-small font-medium">Metrics</legend>
      <div className="flex flex-wrap gap-x-5 gap-y-2">
        {offered.map((metric) => (
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
