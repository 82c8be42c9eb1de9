/** Make a session the current one: Training shows it, and its adapter is what gets tested. */
import { useDispatch } from 'react-redux'
import { useNavigate } from 'react-router'
import { readProblem } from '@/api/errors'
import { useLoadSessionMutation } from '@/api/generated'
import { toastRaised } from '@/ui/feedback/toastSlice'

export function useLoadSession() {
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
  return { load, isLoading }
}
