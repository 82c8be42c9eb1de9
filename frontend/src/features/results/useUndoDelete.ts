/** A deleted session can be put back from the message about it, where the server kept it. */
import { useDispatch } from 'react-redux'
import { readProblem } from '@/api/errors'
import { useRestoreDeletedMutation } from '@/api/generated'
import { toastRaised } from '@/ui/feedback/toastSlice'
import { useUndo } from '@/ui/feedback/useUndo'

export function useUndoDelete(): (name: string, undo: string | null | undefined) => void {
  const offerUndo = useUndo()
  const dispatch = useDispatch()
  const [restore] = useRestoreDeletedMutation()
  return (name, undo) => {
    if (undo == null) return
    offerUndo(`Deleted “${name}”.`, async () => {
      const problem = readProblem((await restore({ trashId: undo })).error)
      if (problem) dispatch(toastRaised({ level: 'error', message: problem.detail, hint: problem.hint }))
    })
  }
}
