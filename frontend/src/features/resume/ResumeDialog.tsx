/** Continue a session: from which checkpoint, and to how many iterations in all. */
import { useDispatch, useSelector } from 'react-redux'
import { readProblem } from '@/api/errors'
import { useReadSessionQuery, useResumePointsQuery } from '@/api/generated'
import { resumeClosed, selectResumeAsked, type ResumeAsked } from '@/start/page/handoffSlice'
import { Button } from '@/ui/controls/Button'
import { Dialog } from '@/ui/Dialog'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { Notice } from '@/ui/feedback/Notice'
import { Skeleton } from '@/ui/feedback/Skeleton'
import { ResumeForm } from './ResumeForm'

/** Stands beside every page; Results and Training open it through the store. */
export function ResumeDialog() {
  const asked = useSelector(selectResumeAsked)
  return asked ? <OpenResume key={asked.sessionId} asked={asked} /> : null
}

function OpenResume({ asked: { sessionId, name } }: { readonly asked: ResumeAsked }) {
  const dispatch = useDispatch()
  const close = () => dispatch(resumeClosed())
  const points = useResumePointsQuery({ sessionId }, { refetchOnMountOrArgChange: true })
  const record = useReadSessionQuery({ sessionId })
  const problem = readProblem(points.error) ?? readProblem(record.error)
  const title = `Resume “${name}”`
  const found = points.isFetching ? undefined : points.data?.points
  if (!problem && found && found.length > 0 && record.data) {
    return <ResumeForm title={title} sessionId={sessionId} points={found} asked={iterationsOf(record.data)} onClose={close} />
  }
  return (
    <Dialog open sheet title={title} onClose={close} footer={<Button onClick={close}>Close</Button>}>
      {problem ? <ErrorPanel message={problem.detail} hint={problem.hint} /> : null}
      {!problem && found?.length === 0 ? (
        <Notice title="No checkpoint to resume from">
          It ended before its first checkpoint, or was recorded by an earlier version. To reuse its configuration, open the session and choose Duplicate into Setup.
        </Notice>
      ) : null}
      {!problem && found?.length !== 0 ? (
        <div aria-busy="true" aria-label="Reading the checkpoints…" role="status" className="flex flex-col gap-3">
          <Skeleton className="h-8" />
          <Skeleton className="h-8" />
        </div>
      ) : null}
    </Dialog>
  )
}

/** What the session was asked for; null where its record does not say. */
function iterationsOf(record: Readonly<Record<string, unknown>>): number | null {
  const config = record['config']
  const value = typeof config === 'object' && config !== null ? (config as Record<string, unknown>)['iterations'] : null
  return typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : null
}
