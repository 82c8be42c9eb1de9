/** A deletion that is carried out at once and can be taken back from the message about it. */
import { useCallback } from 'react'
import { useDispatch } from 'react-redux'
import { readProblem } from '@/api/errors'
import { useRestoreDeletedMutation } from '@/api/generated'
import { toastRaised } from '@/ui/feedback/toastSlice'
import { useUndo } from '@/ui/feedback/useUndo'

/** `undo` is what the server answered to the deletion; null where there is no way back. */
export function useDeleted(): (message: string, undo: string | null | undefined) => void {
  const offerUndo = useUndo()
  const dispatch = useDispatch()
  const [restore] = useRestoreDeletedMutation()
  return useCallback(
    (message, undo) => {
      if (undo == null) {
        dispatch(toastRaised({ level: 'info', message }))
        return
      }
      offerUndo(message, async () => {
        const problem = readProblem((await restore({ trashId: undo })).error)
        if (problem) dispatch(toastRaised({ level: 'error', message: problem.detail, hint: problem.hint }))
      })
    },
    [offerUndo, dispatch, restore],
  )
}
