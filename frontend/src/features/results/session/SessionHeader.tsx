/** Name, state and method of a finished run, and what can be done with it. */
import { Columns2, Combine, Copy, FileText, Play, Share, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useDispatch } from 'react-redux'
import { useNavigate } from 'react-router'
import { useListAdaptersQuery } from '@/api/generated'
import { saveAnswer } from '@/api/saveAnswer'
import { handedTo, resumeAsked, setupAsked } from '@/start/page/handoffSlice'
import { methodBadge, modelName } from '@/run/reducer/runConfig'
import { isLive } from '@/run/reducer/runReducer'
import { ActionLink } from '@/ui/controls/ActionLink'
import { Badge } from '@/ui/Badge'
import { Button } from '@/ui/controls/Button'
import { PageHeader } from '@/ui/PageHeader'
import { toastRaised } from '@/ui/feedback/toastSlice'
import { StateBadge } from '@/run/view/StateBadge'
import { DeleteDialog } from '@/features/results/DeleteDialog'
import type { SessionView } from './record'
import { useLoadSession } from './useLoadSession'

export function SessionHeader({ session }: { readonly session: SessionView }) {
  const [deleting, setDeleting] = useState(false)
  const { load, isLoading, taken } = useLoadSession()
  const navigate = useNavigate()
  const dispatch = useDispatch()
  const duplicate = async () => {
    const asked = { name: session.name, config: session.repeatable }
    dispatch(setupAsked(asked))
    await navigate(handedTo(asked))
  }
  const report = async () => {
    const problem = await saveAnswer(`sessions/${encodeURIComponent(session.id)}/report`, 'report.html')
    if (problem) dispatch(toastRaised({ level: 'error', message: problem.detail, hint: problem.hint }))
  }
  const badge = methodBadge(session.method, session.config)
  const { data: adapters } = useListAdaptersQuery(undefined, { skip: session.adapterName === null })
  // A failed run may have written nothing; until the list is here the record is believed.
  const saved = session.adapterPath !== null && (adapters?.adapters.some(({ name }) => name === session.adapterName) ?? true)
  const live = session.state !== null && isLive(session.state)
  return (
    <PageHeader
      title={session.name}
      subtitle={
        <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
          {session.state ? <StateBadge state={session.state} /> : null}
          {badge ? <Badge tone="accent">{badge}</Badge> : null}
          {session.legacy ? <Badge title="Recorded by the reference app">legacy</Badge> : null}
          <span>{modelName(session.config)}</span>
        </span>
      }
    >
      <Button kind={saved || live ? 'secondary' : 'primary'} onClick={() => void duplicate()} title="Fill Setup with this configuration">
        <Copy className="size-3.5" aria-hidden="true" />
        Duplicate into Setup
      </Button>
      {live ? null : (
        <>
          {session.legacy ? null : (
            <Button onClick={() => dispatch(resumeAsked({ sessionId: session.id, name: session.name }))}>
              <Play className="size-3.5" aria-hidden="true" />
              Resume…
            </Button>
          )}
          {session.adapterName === null || !saved ? null : (
            <>
              <ActionLink to={`/fusion?export=${encodeURIComponent(session.adapterName)}`}>
                <Share className="size-3.5" aria-hidden="true" />
                Export…
              </ActionLink>
              <ActionLink to={`/fusion?adapters=${encodeURIComponent(session.adapterName)}`}>
                <Combine className="size-3.5" aria-hidden="true" />
                Fuse with…
              </ActionLink>
              <ActionLink primary to={`/compare?adapter=${encodeURIComponent(session.adapterName)}`}>
                <Columns2 className="size-3.5" aria-hidden="true" />
                Compare with base
              </ActionLink>
            </>
          )}
          <Button onClick={() => void report()} title="Numbers, curves, settings and command in one HTML file">
            <FileText className="size-3.5" aria-hidden="true" />
            Report
          </Button>
          <Button disabled={taken !== null} title={taken ?? undefined} busy={isLoading && 'Loading…'} onClick={() => void load(session.id)}>
            Show in Training
          </Button>
          <Button kind="danger" onClick={() => setDeleting(true)}>
            <Trash2 className="size-3.5" aria-hidden="true" />
            Delete…
          </Button>
        </>
      )}
      <DeleteDialog
        open={deleting}
        sessionId={session.id}
        name={session.name}
        onClose={() => setDeleting(false)}
        onDeleted={() => void navigate('/results')}
      />
    </PageHeader>
  )
}
