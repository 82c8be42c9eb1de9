/** Resume, load and delete, in a row of the list. */
import { FolderInput, Play, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useDispatch } from 'react-redux'
import type { SessionSummary } from '@/api/generated'
import { resumeAsked } from '@/start/page/handoffSlice'
import { IconButton } from '@/ui/controls/IconButton'
import { DeleteDialog } from './DeleteDialog'
import { sessionName } from './sessions'
import { useLoadSession } from '@/features/results/session/useLoadSession'

const LIVE: ReadonlySet<string> = new Set(['starting', 'running', 'paused', 'stopping'])

export function SessionActions({ session }: { readonly session: SessionSummary }) {
  const [deleting, setDeleting] = useState(false)
  const { load, isLoading, taken } = useLoadSession()
  const dispatch = useDispatch()
  const name = sessionName(session)
  const live = LIVE.has(session.training_state ?? '')
  return (
    <span className="inline-flex shrink-0 items-center">
      {session.problem == null && !live && !session.legacy ? (
        <IconButton
          icon={Play}
          label={`Resume ${name}…`}
          onClick={() => dispatch(resumeAsked({ sessionId: session.session_id, name }))}
        />
      ) : null}
      {session.problem == null && !live ? (
        <IconButton
          icon={FolderInput}
          label={isLoading ? `Loading ${name}…` : (taken ?? `Show ${name} on the Training page`)}
          disabled={isLoading || taken !== null}
          onClick={() => void load(session.session_id)}
        />
      ) : null}
      <IconButton
        icon={Trash2}
        label={live ? `${name} is running and can’t be deleted` : `Delete ${name}`}
        disabled={live}
        onClick={() => setDeleting(true)}
      />
      <DeleteDialog
        open={deleting}
        sessionId={session.session_id}
        name={name}
        damaged={session.problem != null}
        onClose={() => setDeleting(false)}
      />
    </span>
  )
}
