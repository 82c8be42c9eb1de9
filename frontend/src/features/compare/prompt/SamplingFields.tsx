/** Everything that decides how tokens are chosen, beside temperature and length. */
import { Button } from '@/ui/controls/Button'
import { Field } from '@/ui/controls/Field'
import { NumberInput } from '@/ui/controls/NumberInput'
import { Switch } from '@/ui/controls/Switch'
import { FIELDS, fieldProblem, SAMPLING, type NumberField, type SamplingForm } from './sampling'

type Props = { readonly form: SamplingForm; readonly onChange: (part: Partial<SamplingForm>) => void }

const BEHIND: readonly NumberField[] = ['topP', 'topK', 'minP', 'repetition', 'seed']

export function SamplingFields({ form, onChange }: Props) {
  return (
    <div className="flex flex-col gap-3 border-t border-line pt-3">
      <div className="grid grid-cols-2 gap-3 md:grid-cols-3 xl:grid-cols-5">
        {BEHIND.map((field) => (
          <SamplingField key={field} field={field} form={form} onChange={onChange} />
        ))}
      </div>
      <div className="flex flex-wrap items-start gap-x-8 gap-y-3">
        <Switch
          label="Answer in one batch"
          checked={form.together}
          onChange={(together) => onChange({ together })}
          help="Where the engine can; off = one after the other"
        />
        <Switch
          label="Without chat template"
          checked={form.raw}
          onChange={(raw) => onChange({ raw })}
          help="The model continues the raw prompt"
        />
        <Button size="small" kind="ghost" className="ml-auto" onClick={() => onChange({ ...SAMPLING, system: form.system })}>
          Reset to defaults
        </Button>
      </div>
    </div>
  )
}

type FieldProps = Props & { readonly field: NumberField }

export function SamplingField({ field, form, onChange }: FieldProps) {
  const { label, help, min, max, step } = FIELDS[field]
  return (
    <Field label={label} help={help} error={fieldProblem(field, form[field])}>
      {(control) => (
        <NumberInput
          {...control}
          value={form[field]}
          onText={(text) => onChange({ [field]: text })}
          min={min}
          max={max}
          step={step}
        />
      )}
    </Field>
  )
}
