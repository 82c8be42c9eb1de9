/** Deleting asks what goes with the record: nothing, or the run's files too. */
import { useState } from 'react'
import { readProblem } from '@/api/errors'
import { useDeleteSessionMutation } from '@/api/generated'
import { Button } from '@/ui/controls/Button'
import { Dialog } from '@/ui/Dialog'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { useUndoDelete } from './useUndoDelete'

type Props = {
  readonly open: boolean
  readonly sessionId: string
  readonly name: string
  readonly damaged?: boolean
  readonly onClose: () => void
  readonly onDeleted?: () => void
}

export function DeleteDialog({ open, ...rest }: Props) {
  return open ? <OpenDelete {...rest} /> : null
}

function OpenDelete({ sessionId, name, damaged, onClose, onDeleted }: Omit<Props, 'open'>) {
  const [files, setFiles] = useState(false)
  const [remove, { isLoading, error }] = useDeleteSessionMutation()
  const undoable = useUndoDelete()
  const problem = readProblem(error)
  const confirm = async () => {
    const result = await remove({ sessionId, files })
    if (result.error) return
    undoable(name, result.data.undo)
    onClose()
    onDeleted?.()
  }
  return (
    <Dialog
      open
      size="small"
      sheet
      title={`Delete “${name}”?`}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose} disabled={isLoading}>
            Cancel
          </Button>
          <Button kind="danger" busy={isLoading && 'Deleting…'} onClick={() => void confirm()}>
            {files ? 'Delete record and files' : 'Delete the record'}
          </Button>
        </>
      }
    >
      <fieldset className="flex flex-col gap-2.5 text-left whitespace-normal">
        <legend className="sr-only">What is deleted</legend>
        <Choice
          checked={!files}
          onChoose={() => setFiles(false)}
          title="The record only"
          text={damaged ? 'Deletes the damaged record; other files stay.' : 'The adapter stays usable.'}
        />
        <Choice
          checked={files}
          onChoose={() => setFiles(true)}
          title="The record and its files"
          text="Also deletes adapter, checkpoints, curves, log and prepared data. This can’t be undone."
        />
      </fieldset>
      {problem ? <ErrorPanel className="mt-3" message={problem.detail} hint={problem.hint} /> : null}
    </Dialog>
  )
}

type ChoiceProps = {
  readonly checked: boolean
  readonly onChoose: () => void
  readonly title: string
  readonly text: string
}

function Choice({ checked, onChoose, title, text }: ChoiceProps) {
  return (
    <label className="grid grid-cols-[auto_1fr] gap-x-2.5 rounded-field border border-line p-2.5 has-checked:border-accent has-checked:bg-accent-wash">
      <input type="radio" name="what" checked={checked} onChange={onChoose} className="row-span-2 mt-0.5 size-4 accent-accent" />
      <span className="font-medium">{title}</span>
      <span className="text-small text-soft">{text}</span>
    </label>
  )
}
