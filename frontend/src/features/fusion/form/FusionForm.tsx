/** What is merged, how, and into what; beside it, what will come of it. */
import { useSelector } from 'react-redux'
import { skipToken } from '@reduxjs/toolkit/query'
import { readProblem } from '@/api/errors'
import { useValidateFusionQuery } from '@/api/generated'
import { selectIsLive } from '@/run/reducer/runSlice'
import { RowsField } from '@/start/data/RowsField'
import { Card } from '@/ui/Card'
import { Field } from '@/ui/controls/Field'
import { NumberInput } from '@/ui/controls/NumberInput'
import { TextInput } from '@/ui/controls/TextInput'
import { AdapterChoice } from './AdapterChoice'
import { bodyFor, FEWEST, formProblems, rankHelp, weightsOf, type FusionFields, type Group } from './fusionForm'
import { FusionReview } from './FusionReview'
import { MethodField } from './MethodField'
import type { Fusion } from '@/features/fusion/useFusion'
import { WeightSliders } from './WeightSliders'

type Props = {
  readonly groups: readonly Group[]
  readonly names: readonly string[]
  readonly fields: FusionFields
  readonly fusion: Fusion
  readonly onNames: (names: readonly string[]) => void
  readonly onChange: (part: Partial<FusionFields>) => void
  readonly onStarted: () => void
}

export function FusionForm({ groups, names, fields, fusion, onNames, onChange, onStarted }: Props) {
  const enough = names.length >= FEWEST
  const asked = useValidateFusionQuery(enough ? { names: [...names] } : skipToken, { refetchOnMountOrArgChange: true })
  const live = useSelector(selectIsLive)
  const check = enough ? asked.currentData : undefined
  const own = formProblems(fields, names.length)
  const problems = { ...fusion.refused?.fields, ...own }
  const weights = weightsOf(fields, names.length)
  const start = async () => {
    if (await fusion.start(bodyFor(fields, names))) onStarted()
  }
  return (
    <div className="grid grid-cols-1 items-start gap-3 lg:grid-cols-[minmax(0,1fr)_20rem]">
      <div className="flex min-w-0 flex-col gap-3">
        <AdapterChoice groups={groups} chosen={names} onChoose={onNames} />
        <Card title="Merge method" bodyClassName="flex flex-col gap-4">
          <MethodField fields={fields} problems={problems} onChange={onChange} />
          {enough ? (
            <WeightSliders
              names={names}
              weights={weights}
              path={fields.method === 'slerp' && names.length === 2}
              onWeights={(next) => onChange({ weights: next })}
            />
          ) : null}
        </Card>
        <Card title="Result and proof" bodyClassName="flex flex-col gap-4">
          <div className="grid grid-cols-1 gap-4 sm:grid-cols-2">
            <Field label="Output name" help="Letters, digits, dot, dash and underscore; the folder’s name." error={problems['output_name']}>
              {(control) => (
                <TextInput
                  {...control}
                  value={fields.outputName}
                  placeholder={check?.output_name ?? ''}
                  onText={(outputName) => onChange({ outputName })}
                />
              )}
            </Field>
            <Field label="Output rank" aside="optional" help={rankHelp(fields.method, check)} error={problems['output_rank']}>
              {(control) => (
                <NumberInput
                  {...control}
                  value={fields.outputRank}
                  placeholder={check?.rank == null ? '' : String(check.rank)}
                  onText={(outputRank) => onChange({ outputRank })}
                  min={1}
                  max={512}
                  step={1}
                />
              )}
            </Field>
          </div>
          <RowsField
            label="Rows for the proof"
            help="A file of rows that none of the adapters was trained on. Empty: what their own runs held out."
            placeholder="None: the rows that each run held out"
            path={fields.data}
            problem={problems['evaluation_dataset']}
            onPath={(data) => onChange({ data })}
          />
        </Card>
      </div>
      <div className="lg:sticky lg:top-0">
        <FusionReview
          chosen={names.length}
          check={check}
          unchecked={enough && check === undefined ? readProblem(asked.error) : null}
          outputName={fields.outputName}
          outputRank={fields.outputRank}
          problems={own}
          live={live}
          refused={fusion.starting ? null : fusion.refused}
          starting={fusion.starting}
          onStart={() => void start()}
        />
      </div>
    </div>
  )
}
