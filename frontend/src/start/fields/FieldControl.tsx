/**
 * A field of the schema as a control: the kind decides which. Its limits, help and unit come along.
 * Nothing where the field would have no effect.
 */
import type { ReactNode } from 'react'
import type { Field as SchemaField, FieldName } from '@/api/fields'
import { applies } from './applies'
import { optionsOf } from './labels'
import type { StartForm } from './useStartForm'
import type { FieldErrors } from './form'
import { cx } from '@/lib/cx'
import { Field } from '@/ui/controls/Field'
import { NumberInput } from '@/ui/controls/NumberInput'
import { Select } from '@/ui/controls/Select'
import { Switch } from '@/ui/controls/Switch'
import { TextInput } from '@/ui/controls/TextInput'

export type FieldControlProps = {
  readonly name: FieldName
  readonly form: StartForm
  readonly errors: FieldErrors
  /** Instead of the schema's help: what the present value leads to. */
  readonly help?: ReactNode
  /** Shown in an empty field that follows from others. */
  readonly placeholder?: string | undefined
  /** Why the field does nothing now: it is shown, greyed, with this. */
  readonly off?: string | null
  readonly className?: string
}

export function FieldControl({ name, form, errors, help, placeholder, off = null, className }: FieldControlProps) {
  if (!applies(form.spec, form.values, name)) return null
  const field = form.field(name)
  const draft = form.values[name]
  const note = off ?? help ?? field.help
  const disabled = off !== null
  const look = className === undefined ? {} : { className }
  if (typeof draft === 'boolean') {
    return (
      <Switch
        label={field.title}
        checked={draft}
        disabled={disabled}
        onChange={(checked) => form.set(name, checked)}
        help={note}
        error={errors[name]}
        // Level with the boxes beside it, which stand under their labels.
        className={cx('@3xs:pt-6', className)}
      />
    )
  }
  const text = typeof draft === 'string' ? draft : draft.join(', ')
  return (
    <Field label={field.title} help={note} error={errors[name]} {...look}>
      {(control) => {
        const common = { ...control, disabled, value: text, onText: (next: string) => form.set(name, next), placeholder }
        switch (field.kind) {
          case 'choice':
            return <Select {...control} disabled={disabled} value={text} options={optionsOf(field)} onChoose={(next) => form.set(name, next)} />
          case 'integer':
          case 'number':
            return <NumberInput {...common} unit={field.unit} step={stepOf(field)} min={field.min} max={field.max} />
          default:
            return <TextInput {...common} mono={name === 'adapter_name'} />
        }
      }}
    </Field>
  )
}

/** What an arrow key adds; a learning rate has no sensible step. */
function stepOf(field: SchemaField): number | undefined {
  if (field.kind === 'integer') return 1
  return field.below === 1 ? 0.05 : undefined
}
