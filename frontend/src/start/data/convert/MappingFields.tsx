/** Which column each field of a form is in. */
import { Field } from '@/ui/controls/Field'
import { Select } from '@/ui/controls/Select'
import type { FormInfo, Mapping } from '@/start/data/dataForms'

type Props = {
  readonly form: FormInfo
  readonly columns: readonly string[]
  readonly mapping: Mapping
  readonly onChange: (mapping: Mapping) => void
}

export function MappingFields({ form, columns, mapping, onChange }: Props) {
  const choose = (field: string, column: string) => {
    const rest = Object.fromEntries(Object.entries(mapping).filter(([name]) => name !== field))
    onChange(column === '' ? rest : { ...rest, [field]: column })
  }
  return (
    <div className="grid grid-cols-1 gap-3 sm:grid-cols-2">
      {[...form.fields, ...form.optional].map((field) => (
        <Field
          key={field}
          label={`Column for ${field}`}
          aside={form.optional.includes(field) ? 'optional' : undefined}
          error={form.fields.includes(field) && mapping[field] === undefined ? 'Choose a column.' : null}
        >
          {(control) => (
            <Select
              {...control}
              value={mapping[field] ?? ''}
              options={[{ value: '', label: '—' }, ...columns.map((column) => ({ value: column, label: column }))]}
              onChoose={(column) => choose(field, column)}
            />
          )}
        </Field>
      ))}
    </div>
  )
}
