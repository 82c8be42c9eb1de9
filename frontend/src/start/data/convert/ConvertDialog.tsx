/** Writes a data file in another format. Columns of any name can be mapped to its fields; the file itself stays as it is. */
import { useState } from 'react'
import { readProblem } from '@/api/errors'
import { useConvertDatasetMutation, type DatasetInspection } from '@/api/generated'
import { convertedName, FORMS, formInfo, formName, guessMapping, mappedForm, type Form, type Mapping } from '@/start/data/dataForms'
import { Button } from '@/ui/controls/Button'
import { Dialog } from '@/ui/Dialog'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { Field } from '@/ui/controls/Field'
import { Select } from '@/ui/controls/Select'
import { Switch } from '@/ui/controls/Switch'
import { CONTROL, TextInput } from '@/ui/controls/TextInput'
import { MappingFields } from './MappingFields'
import { rememberOrigin } from './origins'
import { WrittenNotice } from './WrittenNotice'

type Props = {
  readonly path: string
  /** Of the file, as far as they are known. */
  readonly columns: readonly string[]
  /** A few of its rows, by which unnamed columns are guessed. */
  readonly sample?: DatasetInspection['sample']
  readonly format: string | null
  /** The one format that is of use here; without it, any can be chosen. */
  readonly target?: Form
  readonly systemHelp?: string
  /** What the button for the written file says. */
  readonly use: string
  readonly onUse: (path: string) => void
  /** Offered where the file is not one that a form waits for. */
  readonly onTrain?: (path: string, to: Form) => void
  readonly onClose: () => void
}

export function ConvertDialog({ path, columns, sample, format, target, systemHelp = SYSTEM_HELP, use, onUse, onTrain, onClose }: Props) {
  const unknown = format === null || format === 'unknown'
  const [to, setTo] = useState<Form>(target ?? (format === 'chat' ? 'completions' : 'chat'))
  const [name, setName] = useState<string | null>(null)
  const [system, setSystem] = useState('')
  const [mapped, setMapped] = useState(unknown && columns.length > 0)
  const [mapping, setMapping] = useState<Mapping | null>(null)
  const [convert, { data, error, isLoading, reset }] = useConvertDatasetMutation()
  const problem = readProblem(error)
  const trainable = onTrain !== undefined && to !== 'alpaca' && to !== 'sharegpt'
  const output = name ?? convertedName(path, to)
  const form = unknown ? mappedForm(to) : formInfo(to)
  const chosen = mapping ?? guessMapping(form, columns, sample)
  const complete = output.trim() !== '' && (!mapped || form.fields.every((field) => chosen[field] !== undefined))
  const run = async (overwrite: boolean) => {
    const answer = await convert({
      convertRequest: {
        path,
        output_path: output.trim(),
        to,
        overwrite,
        ...(system.trim() === '' ? {} : { system: system.trim() }),
        ...(mapped ? { mapping: chosen } : {}),
      },
    })
    if (answer.data) rememberOrigin(answer.data.path, path)
  }
  const change = (next: Form) => {
    setTo(next)
    setMapping(null)
    reset()
  }
  return (
    <Dialog
      open
      title="Convert"
      sheet
      onClose={onClose}
      footer={
        data ? (
          <>
            <Button onClick={onClose}>Close</Button>
            <Button kind={trainable ? 'secondary' : 'primary'} onClick={() => onUse(data.path)}>
              {use}
            </Button>
            {trainable ? (
              <Button kind="primary" onClick={() => onTrain?.(data.path, to)}>
                Train with this file
              </Button>
            ) : null}
          </>
        ) : (
          <>
            <Button onClick={onClose}>Cancel</Button>
            <Button kind="primary" disabled={!complete} onClick={() => void run(false)} busy={isLoading && 'Converting…'}>
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
          <Field label="Format" help={formInfo(to).use}>
            {(control) => (
              <Select
                {...control}
                value={to}
                disabled={target !== undefined}
                options={FORMS.map((each) => ({ value: each.id, label: each.name }))}
                onChoose={(value) => change(formInfo(value as Form).id)}
              />
            )}
          </Field>
          {columns.length > 0 ? (
            <Switch
              label="Map columns"
              checked={mapped}
              onChange={setMapped}
              help={unknown ? 'Choose the columns that hold the text.' : `The rows are read as: ${formName(format)}.`}
            />
          ) : null}
          {mapped ? <MappingFields form={form} columns={columns} mapping={chosen} onChange={setMapping} /> : null}
          <Field label="System message" aside="optional" help={systemHelp}>
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
          <Field label="New file" help="A name is created in the app’s data folder; a path is used as given." error={problem?.fields['output_path']}>
            {(control) => (
              <TextInput
                {...control}
                mono
                showEnd
                value={output}
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
                  <Button size="small" kind="danger" onClick={() => void run(true)}>
                    Replace
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

const SYSTEM_HELP = 'Added to rows that have none.'
