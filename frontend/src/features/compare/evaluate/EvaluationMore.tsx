/** What few evaluations need: rows of one's own, a judge, sampling, and tasks of lm-eval. */
import { useEvaluationOffersQuery, type AvailableModel, type EvaluationOffers } from '@/api/generated'
import { Field } from '@/ui/controls/Field'
import { NumberInput } from '@/ui/controls/NumberInput'
import { Select } from '@/ui/controls/Select'
import { TextInput } from '@/ui/controls/TextInput'
import type { EvaluationFields } from './evaluationFields'
import { RowsField } from '@/start/data/RowsField'
import { isUsable } from '@/features/compare/targets/targets'

type Props = {
  readonly fields: EvaluationFields
  readonly problems: Readonly<Record<string, string>>
  readonly models: readonly AvailableModel[]
  readonly onChange: (part: Partial<EvaluationFields>) => void
}

export function EvaluationMore({ fields, problems, models, onChange }: Props) {
  const { data: offers } = useEvaluationOffersQuery()
  return (
    <details className="group">
      <summary className="w-fit rounded-small text-small font-medium text-soft hover:text-ink">More: own rows, judge, sampling, tasks</summary>
      <div className="mt-3 flex flex-col gap-3">
        {fields.set === null ? (
          <RowsField path={fields.data} problem={problems['training_data_path']} onPath={(data) => onChange({ data })} />
        ) : null}
        <div className="grid grid-cols-1 gap-3 sm:grid-cols-2 lg:grid-cols-4">
          <Field label="Judge" help="Scores answers from 0 to 100, with a reason" error={problems['judge'] ?? problems['judge_model']}>
            {(control) => (
              <Select
                {...control}
                value={fields.judge}
                options={[
                  { value: '', label: 'No judge' },
                  { value: 'service', label: serviceLabel(offers), disabled: offers?.judge == null },
                  ...models.filter(isUsable).map((model) => ({ value: `model:${model.name}`, label: `${model.name}, on this machine` })),
                ]}
                onChoose={(judge) => onChange({ judge })}
              />
            )}
          </Field>
          <Field label="Temperature" help="0 = deterministic" error={problems['temperature']}>
            {(control) => (
              <NumberInput {...control} value={fields.temperature} onText={(temperature) => onChange({ temperature })} min={0} max={2} step={0.1} />
            )}
          </Field>
          <Field label="Seed" help="For choosing rows and for sampling" error={problems['seed']}>
            {(control) => <NumberInput {...control} value={fields.seed} onText={(seed) => onChange({ seed })} min={0} step={1} />}
          </Field>
        </div>
        {offers ? <Tasks offers={offers} fields={fields} problems={problems} onChange={onChange} /> : null}
      </div>
    </details>
  )
}

function serviceLabel(offers: EvaluationOffers | undefined): string {
  if (!offers) return 'Online service'
  return offers.judge ? `${offers.judge.model} at ${offers.judge.host}` : 'Online service: set one in Settings first'
}

type TasksProps = Pick<Props, 'fields' | 'problems' | 'onChange'> & { readonly offers: EvaluationOffers }

function Tasks({ offers, fields, problems, onChange }: TasksProps) {
  if (offers.lm_eval === null) {
    return (
      <p className="text-small text-faint">
        To run lm-eval tasks too, install it: <code className="font-mono break-all">{offers.lm_eval_install}</code>
      </p>
    )
  }
  return (
    <div className="grid grid-cols-1 gap-3 sm:grid-cols-[3fr_1fr]">
      <Field
        label="lm-eval tasks"
        help={offers.tasks.length > 0 ? `Available: ${offers.tasks.join(', ')}; or the path of a YAML file` : 'Paths of YAML files with rows on this machine'}
        error={problems['tasks']}
      >
        {(control) => <TextInput {...control} value={fields.tasks} onText={(tasks) => onChange({ tasks })} />}
      </Field>
      <Field label="Rows of each task" help="Empty = all" error={problems['task_limit']}>
        {(control) => <NumberInput {...control} value={fields.taskLimit} onText={(taskLimit) => onChange({ taskLimit })} min={1} step={10} />}
      </Field>
    </div>
  )
}
