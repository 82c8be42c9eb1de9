/** Undo instead of asking first: a toast that says what was done, with a button that takes it back. */
import { useCallback } from 'react'
import { useDispatch } from 'react-redux'
import { toastActions, toastRaised } from './toastSlice'

/**
 * `offerUndo('Deleted “run_7”.', () => …)`. What was done must stay restorable without the toast, since a window
 * may close: keep it, or let the server keep it (`undo` of its answer, POST /api/trash/{id}/restore).
 */
export function useUndo(): (message: string, undo: () => unknown) => void {
  const dispatch = useDispatch()
  return useCallback(
    (message, undo) => {
      const raised = toastRaised({ level: 'info', message, action: 'Undo' })
      toastActions.set(raised.payload.id, undo)
      dispatch(raised)
    },
    [dispatch],
  )
}
