/** A start that would likely ruin the model is asked about once more, with the way out beside it. */
import type { Warning } from './review'
import { Button } from '@/ui/controls/Button'
import { Dialog } from '@/ui/Dialog'

type Props = {
  /** Why the server wants a yes; null where it wants none. */
  readonly warning: Warning | null
  readonly onClose: () => void
  readonly onFix: (fix: NonNullable<Warning['fix']>) => void
  readonly onStart: () => void
}

export function ConfirmDialog({ warning, onClose, onFix, onStart }: Props) {
  const fix = warning?.fix
  return (
    <Dialog
      open={warning !== null}
      title="Start with this high effective scale?"
      sheet
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose} className="mr-auto">
            Cancel
          </Button>
          <Button kind="danger" onClick={onStart}>
            Start anyway
          </Button>
          {fix ? (
            <Button kind="primary" onClick={() => onFix(fix)}>
              {fix.label}
            </Button>
          ) : null}
        </>
      }
    >
      <p className="text-soft">{warning?.text}</p>
    </Dialog>
  )
}
