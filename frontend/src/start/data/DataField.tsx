/** A path to a data file: typed, browsed for, or dropped here; what the file holds stands under it. */
import { useState, type DragEvent } from 'react'
import type { FieldErrors } from '@/start/fields/form'
import { InspectionLine } from '@/start/data/examination/InspectionLine'
import type { useDataFile } from './useDataFile'
import type { Inspection } from '@/start/data/examination/useInspection'
import type { StartForm } from '@/start/fields/useStartForm'
import { cx } from '@/lib/cx'
import { Field } from '@/ui/controls/Field'
import { LinkButton } from '@/ui/controls/LinkButton'
import { TextInput } from '@/ui/controls/TextInput'

type Props = {
  readonly name: 'train_data_path' | 'val_data_path'
  readonly form: StartForm
  readonly errors: FieldErrors
  readonly inspection: Inspection
  readonly file: ReturnType<typeof useDataFile>
}

export function DataField({ name, form, errors, inspection, file }: Props) {
  const [over, setOver] = useState(false)
  const path = String(form.values[name])
  const optional = name === 'val_data_path'
  const onDrop = (event: DragEvent) => {
    event.preventDefault()
    setOver(false)
    const dropped = event.dataTransfer.files[0]
    if (dropped) void file.take(dropped)
  }
  const error = file.problem?.detail ?? inspection.problem?.detail ?? errors[name]
  return (
    // Dropping is a second way to do what Browse does by keyboard.
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions
    <div
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={onDrop}
      className={cx('rounded-field', over && 'outline-2 outline-offset-4 outline-accent outline-dashed')}
    >
      <Field label={form.field(name).title} aside={optional ? 'optional' : undefined} help={file.copied === path ? 'Copied to the app’s data folder.' : undefined} error={error}>
        {(control) => (
          <TextInput
            {...control}
            mono
            showEnd
            value={path}
            title={path}
            placeholder={optional ? 'None: part of the rows is held out' : 'Path to a .jsonl file, or drop one here'}
            onText={(text) => {
              file.clear()
              form.set(name, text)
            }}
            trailing={
              <LinkButton className="bg-card text-small font-normal" onClick={() => void file.browse()} disabled={file.uploading}>
                {file.uploading ? 'Uploading…' : 'Browse…'}
              </LinkButton>
            }
          />
        )}
      </Field>
      {path === '' ? null : <InspectionLine inspection={inspection} histogram={!optional} />}
    </div>
  )
}
