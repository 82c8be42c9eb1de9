/** Write the file in another form. Columns of any name can be mapped to its fields. */
import { useState } from 'react'
import { readProblem } from '@/api/errors'
import { useConvertDatasetMutation, type DatasetInspection } from '@/api/generated'
import { Button } from '@/ui/controls/Button'
import { Dialog } from '@/ui/Dialog'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { Field } from '@/ui/controls/Field'
import { Select } from '@/ui/controls/Select'
import { Switch } from '@/ui/controls/Switch'
import { CONTROL, TextInput } from '@/ui/controls/TextInput'
import { convertedName, FORMS, formInfo, formName, guessMapping, mappedForm, type Form, type Mapping } from '@/start/data/dataForms'
import { MappingFields } from './MappingFields'
import { WrittenNotice } from './WrittenNotice'

type Props = {
  readonly found: DatasetInspection
  readonly onClose: () => void
  readonly onOpen: (path: string) => void
}

export function ConvertDialog({ found, onClose, onOpen }: Props) {
  const unknown = found.format === null || found.format === 'unknown'
  const [to, setTo] = useState<Form>(found.format === 'chat' ? 'completions' : 'chat')
  const [name, setName] = useState<string | null>(null)
  const [system, setSystem] = useState('')
  const [mapped, setMapped] = useState(unknown)
  const [mapping, setMapping] = useState<Mapping | null>(null)
  const [convert, { data, error, isLoading, reset }] = useConvertDatasetMutation()
  const problem = readProblem(error)
  const target = name ?? convertedName(found.path, to)
  const columnForm = unknown ? mappedForm(to) : to
  const chosen = mapping ?? guessMapping(formInfo(columnForm), found.columns)
  const run = (overwrite: boolean) =>
    void convert({
      convertRequest: {
        path: found.path,
        output_path: target,
        to,
        overwrite,
        ...(system.trim() === '' ? {} : { system: system.trim() }),
        ...(mapped ? { mapping: chosen } : {}),
      },
    })
  const change = (form: Form) => {
    setTo(form)
    setMapping(null)
    reset()
  }
  return (
    <Dialog
      open
      title="Convert"
      onClose={onClose}
      footer={
        data ? (
          <>
            <Button onClick={onClose}>Close</Button>
            <Button kind="primary" onClick={() => onOpen(data.path)}>
              Look at it
            </Button>
          </>
        ) : (
          <>
            <Button onClick={onClose}>Cancel</Button>
            <Button kind="primary" onClick={() => run(false)} busy={isLoading && 'Converting…'}>
              Convert
            </Button>
          </>
        )
      }
    >
      {data ? (
        <WrittenNotice
          title="Converted"
          files={[data]}
          skipped={data.skipped}
          skippedCount={data.skipped_count}
          notes={data.notes}
        />
      ) : (
        <div className="flex flex-col gap-4">
          <Field label="Form" help={formInfo(to).use}>
            {(control) => (
              <Select
                {...control}
                value={to}
                options={FORMS.map((form) => ({ value: form.id, label: form.name }))}
                onChoose={(value) => change(formInfo(value as Form).id)}
              />
            )}
          </Field>
          <Switch
            label="Choose the columns"
            checked={mapped}
            onChange={setMapped}
            help={unknown ? 'The columns are not those of a known form.' : `The rows are read as: ${formName(found.format)}.`}
          />
          {mapped ? (
            <MappingFields form={formInfo(columnForm)} columns={found.columns} mapping={chosen} onChange={setMapping} />
          ) : null}
          <Field label="System message" aside="optional" help="Put in front of every row that has none.">
            {(control) => (
              <textarea
                {...control}
                rows={2}
                value={system}
                onChange={(event) => setSystem(event.target.value)}
                className={`${CONTROL} px-2.5 py-1.5`}
              />
            )}
          </Field>
          <Field label="New file" help="A name goes to the app’s data folder; a path is taken as it is." error={problem?.fields['output_path']}>
            {(control) => (
              <TextInput
                {...control}
                mono
                value={target}
                onText={(text) => {
                  setName(text)
                  reset()
                }}
              />
            )}
          </Field>
          {problem ? (
            <ErrorPanel
              message={problem.detail}
              hint={problem.hint}
              action={
                problem.status === 409 ? (
                  <Button size="small" kind="danger" onClick={() => run(true)}>
                    Replace it
                  </Button>
                ) : null
              }
            />
          ) : null}
        </div>
      )}
    </Dialog>
  )
}
