/** After a run: go on from one of its checkpoints, further than was asked for if wished. */
import { Play } from 'lucide-react'
import { useDispatch } from 'react-redux'
import { resumeAsked } from '@/start/page/handoffSlice'
import { adapterName } from '@/run/reducer/runConfig'
import type { RunView } from '@/run/reducer/runReducer'
import { Button } from '@/ui/controls/Button'

export function ResumeRunButton({ run: { sessionId, config } }: { readonly run: RunView }) {
  const dispatch = useDispatch()
  if (sessionId === null) return null
  return (
    <Button onClick={() => dispatch(resumeAsked({ sessionId, name: adapterName(config) ?? sessionId }))}>
      <Play className="size-3.5" aria-hidden="true" />
      Resume…
    </Button>
  )
}
