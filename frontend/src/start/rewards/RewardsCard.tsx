/** What counts as a good answer: functions with weights, own code after a look at it, and a try on real rows. */
import { useState } from 'react'
import { readProblem } from '@/api/errors'
import { useRewardFunctionsQuery, type MethodInfo } from '@/api/generated'
import type { FieldErrors } from '@/start/fields/form'
import { FIELD_GRID } from '@/start/fields/ParametersCard'
import type { StartForm } from '@/start/fields/useStartForm'
import { Button } from '@/ui/controls/Button'
import { Card } from '@/ui/Card'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { Field, FieldNote } from '@/ui/controls/Field'
import { Notice } from '@/ui/feedback/Notice'
import { Select } from '@/ui/controls/Select'
import { ChosenRewards } from './ChosenRewards'
import { MethodField } from '@/start/method/MethodFields'
import { OwnFunctions } from './OwnFunctions'
import { RewardPicker } from './RewardPicker'
import { readChosen, wholeName, writeChosen, type ChosenReward } from './rewardNames'
import { TryDialog } from './TryDialog'

type Props = { readonly form: StartForm; readonly method: MethodInfo; readonly errors: FieldErrors }

/** Drawn by this card itself; what else the method has of rewards follows as plain fields. */
const OWN: ReadonlySet<string> = new Set(['reward_functions', 'reward_weights', 'reward_functions_file', 'success_function'])

export function RewardsCard({ form, method, errors }: Props) {
  const { data, error } = useRewardFunctionsQuery()
  const [picks, setPicks] = useState(false)
  const [tries, setTries] = useState(false)
  const { values, set } = form
  const problem = readProblem(error)
  const functions = data?.functions ?? []
  const rewarded = method.additional_params.some(({ name }) => name === 'reward_functions')
  const chosen = rewarded ? readChosen(String(values.reward_functions), String(values.reward_weights)) : []
  const others = [...form.fieldsOf('rewards', 'simple'), ...(form.level === 'advanced' ? form.fieldsOf('rewards', 'advanced') : [])]
  const plain = others.filter((name) => !OWN.has(name))
  if (!rewarded && plain.length === 0) return null
  const write = (next: readonly ChosenReward[]) => {
    const { names, weights } = writeChosen(next)
    set('reward_functions', names)
    set('reward_weights', weights)
    const success = String(values.success_function)
    if (success !== '' && !next.some((each) => wholeName(each) === success)) set('success_function', '')
  }
  return (
    <Card
      title={rewarded ? 'Rewards' : 'Judge'}
      subtitle={rewarded ? 'What counts as a good answer. Training maximises their weighted sum.' : null}
      bodyClassName="@container flex flex-col gap-4"
      actions={
        rewarded ? (
          <>
            <Button size="small" disabled={!data} onClick={() => setPicks(true)}>
              Choose functions…
            </Button>
            <Button size="small" disabled={values.train_data_path === ''} onClick={() => setTries(true)}>
              Try on samples…
            </Button>
          </>
        ) : null
      }
    >
      {problem ? <ErrorPanel message={problem.detail} hint={problem.hint} /> : null}
      {rewarded && data && chosen.length === 0 ? <Unchosen names={data.default} judged={method.family === 'online'} /> : null}
      {chosen.length > 0 ? <ChosenRewards chosen={chosen} functions={functions} onChange={write} /> : null}
      {errors.reward_functions ? <FieldNote id="rewards-note" error={errors.reward_functions} /> : null}
      {errors.reward_weights ? <FieldNote id="weights-note" error={errors.reward_weights} /> : null}
      {rewarded ? <OwnFunctions form={form} files={data?.files ?? []} error={errors.reward_functions_file} /> : null}
      <div className={FIELD_GRID}>
        {chosen.length > 0 ? (
          <Field label="Success" help="Counts when this function gives its maximum." error={errors.success_function}>
            {(control) => (
              <Select
                {...control}
                value={String(values.success_function)}
                options={[{ value: '', label: 'None' }, ...chosen.map(wholeName).map((name) => ({ value: name, label: name }))]}
                onChoose={(next) => set('success_function', next)}
              />
            )}
          </Field>
        ) : null}
        {plain.map((name) => (
          <MethodField key={name} name={name} form={form} method={method} errors={errors} />
        ))}
      </div>
      {data && picks ? <RewardPicker functions={functions} chosen={chosen} onChange={write} onClose={() => setPicks(false)} /> : null}
      {tries ? (
        <TryDialog
          rewards={String(values.reward_functions)}
          weights={String(values.reward_weights)}
          file={String(values.reward_functions_file)}
          path={String(values.train_data_path)}
          onClose={() => setTries(false)}
        />
      ) : null}
    </Card>
  )
}

function Unchosen({ names, judged }: { readonly names: readonly string[]; readonly judged: boolean }) {
  if (judged) return <Notice>No functions chosen: a model judges the answers.</Notice>
  return (
    <Notice title="No functions chosen">
      The engine’s defaults are used: {names.join(', ')}. They look for answers in {'<think>'} and {'<answer>'} tags. If yours have none, choose functions.
    </Notice>
  )
}
