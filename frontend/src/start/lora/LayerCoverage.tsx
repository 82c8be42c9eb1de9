/** How many of the last blocks are trained: the choices of this model's depth, or a number of one's own. */
import { useState } from 'react'
import type { LoraTargets } from '@/api/generated'
import type { FieldErrors } from '@/start/fields/form'
import type { StartForm } from '@/start/fields/useStartForm'
import { Field } from '@/ui/controls/Field'
import { NumberInput } from '@/ui/controls/NumberInput'
import { Select, type Option } from '@/ui/controls/Select'

type Props = { readonly form: StartForm; readonly errors: FieldErrors; readonly targets: LoraTargets | null }

const ALL: Option = { value: '-1', label: 'All layers (-1)' }
const CUSTOM: Option = { value: 'custom', label: 'Custom…' }

export function LayerCoverage({ form, errors, targets }: Props) {
  const [wanted, setWanted] = useState(false)
  const value = String(form.values.lora_num_layers)
  const field = form.field('lora_num_layers')
  const known = targets?.coverage.map((each) => ({ value: String(each.value), label: each.label })) ?? [ALL]
  // "8" may be on its way to 81, so a known number stays in the box; all layers has no number.
  const custom = !known.some((each) => each.value === value) || (wanted && value !== ALL.value)
  const set = (next: string) => form.set('lora_num_layers', next)
  const choose = (next: string) => {
    setWanted(next === CUSTOM.value)
    if (next !== CUSTOM.value) set(next)
    else if (value === ALL.value) set(String(field.max ?? ''))
  }
  return (
    <Field label={field.title} error={errors.lora_num_layers} help={targets ? `Model depth: ${targets.num_layers}` : field.help}>
      {(control) => (
        <div className="flex flex-col gap-1.5">
          <Select
            {...control}
            aria-invalid={custom ? undefined : control['aria-invalid']}
            value={custom ? CUSTOM.value : value}
            options={[...known, CUSTOM]}
            onChoose={choose}
          />
          {custom ? (
            <NumberInput
              aria-label="Number of last layers"
              aria-describedby={control['aria-describedby']}
              aria-invalid={control['aria-invalid']}
              unit="layers"
              value={value}
              step={1}
              min={1}
              max={field.max}
              onText={set}
            />
          ) : null}
        </div>
      )}
    </Field>
  )
}
