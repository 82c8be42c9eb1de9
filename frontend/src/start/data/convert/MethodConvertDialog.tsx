/** The file in the form that the method needs, written beside it; the original stays as it is. */
import { useState } from 'react'
import { readProblem } from '@/api/errors'
import { useConvertDatasetMutation, type ConvertRequest, type MethodInfo } from '@/api/generated'
import { formInfo, guessMapping } from '@/start/data/dataForms'
import { MappingFields } from './MappingFields'
import { count, plural } from '@/lib/format'
import { Button } from '@/ui/controls/Button'
import { Dialog } from '@/ui/Dialog'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { Field } from '@/ui/controls/Field'
import { Notice } from '@/ui/feedback/Notice'
import { Switch } from '@/ui/controls/Switch'
import { TextInput } from '@/ui/controls/TextInput'

type Needs = MethodInfo['data_format']
type Props = {
  readonly open: boolean
  readonly path: string
  /** Of the file, as far as they are known. */
  readonly columns: readonly string[]
  readonly needs: Needs
  readonly onWritten: (path: string) => void
  readonly onClose: () => void
}

/** The form of a conversion whose rows such a method can use. */
const TARGETS: Readonly<Record<Needs, ConvertRequest['to']>> = {
  sft: 'chat',
  prompt_answer: 'grpo',
  preference: 'preference',
  prompt: 'grpo',
  next_token: 'preference', // Not asked: nothing can be converted to such rows.
}

export function ConvertDialog({ open, ...rest }: Props) {
  return open ? <OpenConvert {...rest} /> : null
}

function OpenConvert({ path, columns, needs, onWritten, onClose }: Omit<Props, 'open'>) {
  const to = TARGETS[needs]
  const [output, setOutput] = useState(() => besideWith(path, to))
  const [system, setSystem] = useState('')
  const form = formInfo(to)
  const [mapped, setMapped] = useState(false)
  const [mapping, setMapping] = useState(() => guessMapping(form, columns))
  const whole = form.fields.every((field) => mapping[field] !== undefined)
  const [convert, { isLoading, error, data }] = useConvertDatasetMutation()
  const problem = readProblem(error)
  const write = async () => {
    const request = { path, output_path: output.trim(), to, ...(system.trim() === '' ? {} : { system }), ...(mapped ? { mapping } : {}) }
    await convert({ convertRequest: request })
  }
  const use = () => {
    if (data) onWritten(data.path)
    onClose()
  }
  return (
    <Dialog
      open
      title="Convert the data"
      sheet
      onClose={onClose}
      footer={
        data ? (
          <Button kind="primary" onClick={use}>
            Use the new file
          </Button>
        ) : (
          <>
            <Button onClick={onClose}>Cancel</Button>
            <Button kind="primary" busy={isLoading && 'Converting…'} disabled={output.trim() === '' || (mapped && !whole)} onClick={() => void write()}>
              Convert
            </Button>
          </>
        )
      }
    >
      {data ? (
        <Notice title={`${plural(data.rows, 'row')} written`}>
          <p className="font-mono text-tiny break-all">{data.path}</p>
          {data.skipped_count > 0 ? <p className="mt-1">{count(data.skipped_count)} left out: {data.skipped[0]?.message}</p> : null}
          {data.notes.map((note) => (
            <p key={note} className="mt-1">
              {note}
            </p>
          ))}
        </Notice>
      ) : (
        <div className="flex flex-col gap-4">
          <p className="text-soft">
            The rows of <span className="font-mono text-small break-all">{path}</span> are written in the form{' '}
            <span className="font-semibold text-ink">{to}</span>. The file itself is not changed.
          </p>
          {columns.length > 0 && form.fields.length > 1 ? (
            <Switch
              label="Choose the columns"
              help="Where they are not named as usual, or no column is known to hold the worse answer."
              checked={mapped}
              onChange={setMapped}
            />
          ) : null}
          {mapped ? <MappingFields form={form} columns={columns} mapping={mapping} onChange={setMapping} /> : null}
          <Field label="New file" error={problem?.fields['output_path']}>
            {(control) => <TextInput {...control} mono showEnd value={output} onText={setOutput} />}
          </Field>
          {needs === 'prompt_answer' || needs === 'prompt' ? (
            <Field
              label="System message"
              aside="optional"
              help="Put into rows that have none. Without any, the engine adds its own, which asks for <think> and <answer>."
            >
              {(control) => <TextInput {...control} value={system} onText={setSystem} />}
            </Field>
          ) : null}
          {problem ? <ErrorPanel message={problem.detail} hint={problem.hint} /> : null}
        </div>
      )}
    </Dialog>
  )
}

/** "/data/chat.jsonl" → "/data/chat-grpo.jsonl". */
function besideWith(path: string, to: string): string {
  const stem = path.replace(/\.[^./\\]+$/, '')
  return `${stem}-${to}.jsonl`
}
