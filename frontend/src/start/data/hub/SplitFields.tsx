/** Which rows of a data set are wanted, and in which form they are written. */
import type { HubDatasetInfo } from '@/api/generated'
import { formInfo, guessMapping, mappedForm } from '@/start/data/dataForms'
import { MappingFields } from '@/start/data/convert/MappingFields'
import { Field } from '@/ui/controls/Field'
import { NumberInput } from '@/ui/controls/NumberInput'
import { Select } from '@/ui/controls/Select'
import { Switch } from '@/ui/controls/Switch'
import { TextInput } from '@/ui/controls/TextInput'
import { limitProblem, mappingWords, nameProblem, ROW_FORMS, splitWords, type Choice, type Chosen } from './hubDataset'

type Props = {
  readonly info: HubDatasetInfo
  readonly choice: Choice
  readonly chosen: Chosen
  readonly columns: readonly string[]
  readonly onChange: (part: Partial<Choice>) => void
}

export function SplitFields({ info, choice, chosen, columns, onChange }: Props) {
  const { config, split, form, known, mapping } = chosen
  const target = form === '' ? null : mappedForm(form)
  return (
    <>
      <div className="grid grid-cols-1 gap-4 sm:grid-cols-2">
        <Field label="Configuration">
          {(control) => (
            <Select
              {...control}
              value={config?.name ?? ''}
              options={info.configs.map(({ name }) => ({ value: name, label: name }))}
              onChoose={(name) => onChange({ config: name, split: null, mapping: null })}
            />
          )}
        </Field>
        <Field label="Split" help={split ? splitWords(split) : undefined}>
          {(control) => (
            <Select
              {...control}
              value={split?.name ?? ''}
              options={(config?.splits ?? []).map(({ name }) => ({ value: name, label: name }))}
              onChoose={(name) => onChange({ split: name })}
            />
          )}
        </Field>
        <Field label="Form" help={form === '' ? 'Rows whose columns the app knows can be trained on as they are.' : formInfo(form).use}>
          {(control) => (
            <Select
              {...control}
              value={form}
              options={ROW_FORMS}
              onChoose={(value) => onChange({ form: value as Choice['form'], mapping: null, answerAfter: null })}
            />
          )}
        </Field>
        <Field label="Rows at most" aside="optional" help="Empty: all. Files behind the last wanted row are not fetched." error={limitProblem(choice.limit)}>
          {(control) => <NumberInput {...control} value={choice.limit} step={100} min={1} placeholder="all" onText={(limit) => onChange({ limit })} />}
        </Field>
      </div>
      {target ? (
        <>
          <Switch
            label="Map columns"
            checked={choice.mapping !== null}
            help={known && mapping && choice.mapping === null ? `Read as: ${mappingWords(mapping)}.` : 'Off: the columns are read by their names.'}
            disabled={columns.length === 0}
            onChange={(own) => onChange({ mapping: own ? (mapping ?? guessMapping(target, columns)) : null })}
          />
          {choice.mapping ? (
            <MappingFields form={target} columns={columns} mapping={choice.mapping} onChange={(next) => onChange({ mapping: next })} />
          ) : null}
        </>
      ) : null}
      <div className="grid grid-cols-1 gap-4 sm:grid-cols-2">
        {form === 'grpo' ? (
          <Field label="Answer behind" aside="optional" help="Of a solution only what stands behind this mark is kept; rows without it are left out.">
            {(control) => <TextInput {...control} mono value={chosen.answerAfter} placeholder="####" onText={(answerAfter) => onChange({ answerAfter })} />}
          </Field>
        ) : null}
        <Field label="Name of the file" aside="optional" error={nameProblem(choice.name)}>
          {(control) => <TextInput {...control} mono value={choice.name} placeholder="named after the data set" onText={(name) => onChange({ name })} />}
        </Field>
      </div>
    </>
  )
}
