/** Starts the evaluation that waits for the run, on whichever page the window is then. */
import { useEffect } from 'react'
import { useDispatch, useSelector } from 'react-redux'
import { readProblem } from '@/api/errors'
import { useCompareEvaluationMutation } from '@/api/generated'
import { selectConnection, selectIsLive, selectRun } from '@/run/reducer/runSlice'
import { toastRaised } from '@/ui/feedback/toastSlice'
import { evaluationReleased, keepPostponed, selectPostponed } from './waitingSlice'

export function useWaitingEvaluation(): void {
  const waiting = useSelector(selectPostponed)
  const live = useSelector(selectIsLive)
  const { sessionId } = useSelector(selectRun)
  const connected = useSelector(selectConnection) === 'connected'
  const dispatch = useDispatch()
  const [start] = useCompareEvaluationMutation()

  useEffect(() => keepPostponed(waiting), [waiting])

  useEffect(() => {
    if (waiting === null || live || !connected) return
    const name = waiting.adapter_name
    void start({ evaluationStart: waiting }).then(({ error }) => {
      const problem = readProblem(error)
      // The next run of the queue was faster: it waits for that one too.
      if (problem?.status === 409) return
      dispatch(evaluationReleased())
      dispatch(
        toastRaised(
          problem
            ? { level: 'error', message: `${name} was not evaluated: ${problem.detail}`, hint: problem.hint }
            : {
                level: 'info',
                message: `The evaluation of ${name} has started`,
                link: { label: 'Show', to: `/compare?view=evaluate&adapter=${encodeURIComponent(name)}` },
              },
        ),
      )
    })
  }, [waiting, live, sessionId, connected, start, dispatch])
}
