/** Pause before the next step, and go on. The run keeps its place and its memory. */
import { Pause, Play } from 'lucide-react'
import { useState } from 'react'
import { useDispatch } from 'react-redux'
import { readProblem } from '@/api/errors'
import { usePauseTrainingMutation, useResumeTrainingMutation } from '@/api/generated'
import { Button } from '@/ui/controls/Button'
import { toastRaised } from '@/ui/feedback/toastSlice'

/** `lost`: the server is not heard. */
type Props = { readonly lost: boolean }

const UNREACHABLE = 'The server can’t be reached.'

/** Shown while the run runs; it waits until the step that is under way is done. */
export function PauseButton({ lost }: Props) {
  const [pause, { isLoading }] = usePauseTrainingMutation()
  const [asked, setAsked] = useState(false)
  const say = useSayProblem()
  const onPause = async () => {
    const { error } = await pause()
    if (error) say(error)
    else setAsked(true)
  }
  return (
    <Button
      disabled={lost}
      title={lost ? UNREACHABLE : undefined}
      busy={(isLoading || asked) && 'Pausing…'}
      onClick={() => void onPause()}
    >
      <Pause className="size-3.5" aria-hidden="true" />
      Pause
    </Button>
  )
}

export function ResumeButton({ lost }: Props) {
  const [resume, { isLoading }] = useResumeTrainingMutation()
  const [asked, setAsked] = useState(false)
  const say = useSayProblem()
  const onResume = async () => {
    const { error } = await resume()
    if (error) say(error)
    else setAsked(true)
  }
  return (
    <Button
      kind="primary"
      disabled={lost}
      title={lost ? UNREACHABLE : undefined}
      busy={(isLoading || asked) && 'Resuming…'}
      onClick={() => void onResume()}
    >
      <Play className="size-3.5" aria-hidden="true" />
      Resume
    </Button>
  )
}

function useSayProblem() {
  const dispatch = useDispatch()
  return (error: unknown) => {
    const problem = readProblem(error)
    if (problem) dispatch(toastRaised({ level: 'error', message: problem.detail, hint: problem.hint, cause: 'run' }))
  }
}
