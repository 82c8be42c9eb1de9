/** A start that would likely ruin the model is asked about once more, with the way out beside it. */
import type { Fix } from './review'
import { Button } from '@/ui/controls/Button'
import { Dialog } from '@/ui/Dialog'

type Props = {
  /** Why the server wants a yes; null where it wants none. */
  readonly doubt: string | null
  readonly fix: Fix | null
  readonly onClose: () => void
  readonly onFix: (fix: Fix) => void
  readonly onStart: () => void
}

export function ConfirmDialog({ doubt, fix, onClose, onFix, onStart }: Props) {
  return (
    <Dialog
      open={doubt !== null}
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
      <p className="text-soft">{doubt}</p>
    </Dialog>
  )
}
