/** A small file of rows in the method's form, to see what is wanted and to try the method. */
import { useState } from 'react'
import { readProblem } from '@/api/errors'
import { useGenerateSampleDataMutation } from '@/api/generated'
import { parseNumber } from '@/lib/numbers'
import { Button } from '@/ui/controls/Button'
import { Dialog } from '@/ui/Dialog'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { Field } from '@/ui/controls/Field'
import { NumberInput } from '@/ui/controls/NumberInput'
import { TextInput } from '@/ui/controls/TextInput'

type Props = {
  readonly open: boolean
  readonly method: string
  readonly name: string
  readonly onWritten: (path: string) => void
  readonly onClose: () => void
}

export function SampleDialog({ open, ...rest }: Props) {
  return open ? <OpenSample {...rest} /> : null
}

function OpenSample({ method, name, onWritten, onClose }: Omit<Props, 'open'>) {
  const [path, setPath] = useState(`${method}_samples.jsonl`)
  const [amount, setAmount] = useState('32')
  const [generate, { isLoading, error }] = useGenerateSampleDataMutation()
  const problem = readProblem(error)
  const rows = parseNumber(amount)
  const wrong = rows === null || !Number.isInteger(rows) || rows < 1 ? 'A whole number from 1 up.' : null
  const write = async () => {
    if (wrong || rows === null) return
    const { data } = await generate({ sampleDataRequest: { method, output_path: path.trim(), num_samples: rows } })
    if (!data) return
    onWritten(data.output_path)
    onClose()
  }
  return (
    <Dialog
      open
      title={`Sample data for ${name}`}
      sheet
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" busy={isLoading && 'Writing…'} disabled={wrong !== null || path.trim() === ''} onClick={() => void write()}>
            Create and use
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        <Field label="File" help="A name is created in the app’s data folder. Existing files are never replaced." error={problem?.fields['output_path']}>
          {(control) => <TextInput {...control} mono value={path} onText={setPath} />}
        </Field>
        <Field label="Rows" error={wrong ?? problem?.fields['num_samples']}>
          {(control) => <NumberInput {...control} value={amount} onText={setAmount} step={1} min={1} />}
        </Field>
        {problem ? <ErrorPanel message={problem.detail} hint={problem.hint} /> : null}
      </div>
    </Dialog>
  )
}
