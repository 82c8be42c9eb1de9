/** Split the file into training, validation and test rows. */
import { useState } from 'react'
import { readProblem } from '@/api/errors'
import { useSplitDatasetMutation, type DatasetInspection } from '@/api/generated'
import { plural } from '@/lib/format'
import { parseNumber } from '@/lib/numbers'
import { Button } from '@/ui/controls/Button'
import { Dialog } from '@/ui/Dialog'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { Field } from '@/ui/controls/Field'
import { NumberInput } from '@/ui/controls/NumberInput'
import { TextInput } from '@/ui/controls/TextInput'
import { splitFolder } from '@/start/data/dataForms'
import { WrittenNotice } from '@/start/data/convert/WrittenNotice'

type Props = {
  readonly found: DatasetInspection
  readonly onClose: () => void
  readonly onOpen: (path: string) => void
  readonly onTrain: (path: string, valid: string) => void
}

export function SplitDialog({ found, onClose, onOpen, onTrain }: Props) {
  const [valid, setValid] = useState('10')
  const [test, setTest] = useState('0')
  const [seed, setSeed] = useState('0')
  const [folder, setFolder] = useState(splitFolder(found.path))
  const [split, { data, error, isLoading, reset }] = useSplitDatasetMutation()
  const problem = readProblem(error)
  const wrong = { valid: shareError(valid, true), test: shareError(test, false), seed: seedError(seed) }
  const ready = !wrong.valid && !wrong.test && !wrong.seed
  const run = (overwrite: boolean) =>
    void split({
      splitRequest: {
        path: found.path,
        output_dir: folder,
        valid_share: (parseNumber(valid) ?? 0) / 100,
        test_share: (parseNumber(test) ?? 0) / 100,
        seed: parseNumber(seed) ?? 0,
        overwrite,
      },
    })
  const edit = (set: (text: string) => void) => (text: string) => {
    set(text)
    reset()
  }
  return (
    <Dialog
      open
      title="Split"
      onClose={onClose}
      footer={
        data ? (
          <>
            <Button onClick={onClose}>Close</Button>
            <Button onClick={() => onOpen(data.train.path)}>Open</Button>
            <Button kind="primary" onClick={() => onTrain(data.train.path, data.valid.path)}>
              Train with these files
            </Button>
          </>
        ) : (
          <>
            <Button onClick={onClose}>Cancel</Button>
            <Button kind="primary" disabled={!ready} onClick={() => run(false)} busy={isLoading && 'Splitting…'}>
              Split
            </Button>
          </>
        )
      }
    >
      {data ? (
        <WrittenNotice
          title="Split"
          files={[data.train, data.valid, ...(data.test ? [data.test] : [])]}
          skipped={data.skipped}
          skippedCount={data.skipped_count}
        />
      ) : (
        <div className="flex flex-col gap-4">
          <p className="text-small text-soft">
            {plural(found.good_rows ?? 0, 'usable row')}. Identical rows stay together, so none leaks into validation. The same seed gives the same split.
          </p>
          <div className="grid grid-cols-3 gap-3">
            <Field label="Validation, %" error={wrong.valid}>
              {(control) => <NumberInput {...control} value={valid} onText={edit(setValid)} step={1} min={1} max={99} />}
            </Field>
            <Field label="Test, %" error={wrong.test}>
              {(control) => <NumberInput {...control} value={test} onText={edit(setTest)} step={1} min={0} max={98} />}
            </Field>
            <Field label="Seed" error={wrong.seed}>
              {(control) => <NumberInput {...control} value={seed} onText={edit(setSeed)} step={1} min={0} />}
            </Field>
          </div>
          <Field label="Folder" help="A name is created in the app’s data folder, with train.jsonl and valid.jsonl.">
            {(control) => <TextInput {...control} mono value={folder} onText={edit(setFolder)} />}
          </Field>
          {problem ? (
            <ErrorPanel
              message={problem.detail}
              hint={problem.hint}
              action={
                problem.status === 409 ? (
                  <Button size="small" kind="danger" onClick={() => run(true)}>
                    Replace the files
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

function shareError(text: string, needed: boolean): string | null {
  const value = parseNumber(text)
  if (value === null || value < 0 || value >= 100 || (needed && value === 0)) {
    return needed ? 'More than 0, less than 100.' : 'From 0 to below 100.'
  }
  return null
}

function seedError(text: string): string | null {
  const value = parseNumber(text)
  return value !== null && Number.isSafeInteger(value) && value >= 0 ? null : 'A whole number from 0.'
}
