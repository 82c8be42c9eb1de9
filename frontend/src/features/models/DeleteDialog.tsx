/** Deleting asks first, and stays open with the reason where it is refused. */
import { readProblem } from '@/api/errors'
import { Button } from '@/ui/controls/Button'
import { Dialog } from '@/ui/Dialog'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'

type Props = {
  readonly name: string
  readonly children: string
  readonly deleting: boolean
  readonly error: unknown
  /** Answers whether it is gone. */
  readonly onDelete: () => Promise<boolean>
  readonly onClose: () => void
}

export function DeleteDialog({ name, children, deleting, error, onDelete, onClose }: Props) {
  const problem = readProblem(error)
  const confirm = async () => {
    if (await onDelete()) onClose()
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
          <Button onClick={onClose} disabled={deleting}>
            Cancel
          </Button>
          <Button kind="danger" busy={deleting && 'Deleting…'} onClick={() => void confirm()}>
            Delete
          </Button>
        </>
      }
    >
      <p className="text-left whitespace-normal">{children}</p>
      {problem ? <ErrorPanel className="mt-3 text-left whitespace-normal" message={problem.detail} hint={problem.hint} /> : null}
    </Dialog>
  )
}
