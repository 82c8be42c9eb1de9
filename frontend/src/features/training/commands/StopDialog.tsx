/** Stopping is asked about once, because what was learned since the last save may be thrown away. */
import { useSelector } from 'react-redux'
import { readProblem } from '@/api/errors'
import { useStopTrainingMutation } from '@/api/generated'
import { selectQueue } from '@/run/reducer/runSlice'
import { Button } from '@/ui/controls/Button'
import { Dialog } from '@/ui/Dialog'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'

type Props = { readonly open: boolean; readonly onClose: () => void; readonly hasBest: boolean }

export function StopDialog({ open, onClose, hasBest }: Props) {
  const [stop, { isLoading, error, originalArgs, reset }] = useStopTrainingMutation()
  const problem = readProblem(error)
  const [next] = useSelector(selectQueue)
  const close = () => {
    reset()
    onClose()
  }
  const answer = async (save: boolean) => {
    const result = await stop({ body: { save } })
    if (!result.error) close()
  }
  const saving = originalArgs?.body?.save === true
  return (
    <Dialog
      open={open}
      title="Stop training?"
      onClose={close}
      sheet
      footer={
        <>
          <Button onClick={close} disabled={isLoading} className="mr-auto">
            Continue training
          </Button>
          <Button kind="danger" busy={isLoading && !saving && 'Stopping…'} disabled={isLoading} onClick={() => void answer(false)}>
            Stop without saving
          </Button>
          <Button kind="primary" busy={isLoading && saving && 'Stopping…'} disabled={isLoading} onClick={() => void answer(true)}>
            Stop and save
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-2 text-body text-soft">
        <p>
          <span className="font-medium text-ink">Stop and save</span> saves the current weights as the latest adapter.
        </p>
        <p>
          <span className="font-medium text-ink">Stop without saving</span> keeps only what was saved before
          {hasBest ? ': the best adapter and the checkpoints.' : ': the checkpoints, if there are any.'}
        </p>
        {next ? (
          <p>
            Then <span className="font-medium text-ink">{next.adapter_name}</span> starts, the next in the queue.
          </p>
        ) : null}
        {problem ? <ErrorPanel message={problem.detail} hint={problem.hint} /> : null}
      </div>
    </Dialog>
  )
}
