/** Make a session the current one: Training shows it, and its adapter is what gets tested. */
import { useDispatch, useSelector } from 'react-redux'
import { useNavigate } from 'react-router'
import { readProblem } from '@/api/errors'
import { useLoadSessionMutation } from '@/api/generated'
import { adapterName } from '@/run/reducer/runConfig'
import { selectIsLive, selectRun } from '@/run/reducer/runSlice'
import { toastRaised } from '@/ui/feedback/toastSlice'

export function useLoadSession() {
  // The Training page shows one run: the live one, while there is one.
  const live = useSelector(selectIsLive)
  const running = adapterName(useSelector(selectRun).config)
  const [send, { isLoading }] = useLoadSessionMutation()
  const dispatch = useDispatch()
  const navigate = useNavigate()
  const load = async (sessionId: string) => {
    const { error } = await send({ sessionId })
    const problem = readProblem(error)
    if (problem) {
      dispatch(toastRaised({ level: 'error', message: problem.detail, hint: problem.hint }))
      return
    }
    await navigate('/training')
  }
  return { load, isLoading, taken: live ? `Training shows ${running ?? 'a run'} until it ends` : null }
}
