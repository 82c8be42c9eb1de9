/** The live run, or the last one: progress, figures, curves, alerts, log, configuration. */
import { ChartSpline } from 'lucide-react'
import { useSelector } from 'react-redux'
import { liveStores, type RunStores } from '@/run/stream/runFeed'
import { selectRun } from '@/run/reducer/runSlice'
import { ActionLink } from '@/ui/controls/ActionLink'
import { EmptyState } from '@/ui/feedback/EmptyState'
import { PageHeader } from '@/ui/PageHeader'
import { Skeleton } from '@/ui/feedback/Skeleton'
import { LiveRun } from './LiveRun'
import { QueueCard } from './QueueCard'

export function TrainingPage({ stores = liveStores }: { readonly stores?: RunStores }) {
  const run = useSelector(selectRun)
  if (run.at === 0) return <Waiting />
  if (run.state === 'idle' || run.sessionId === null) return <NoRun />
  return <LiveRun key={run.sessionId} run={run} stores={stores} />
}

function NoRun() {
  return (
    <>
      <PageHeader title="Training" />
      <EmptyState
        icon={ChartSpline}
        title="No run yet"
        action={
          <ActionLink to="/setup" primary>
            Set up a run
          </ActionLink>
        }
      >
        Start a run and follow it here: loss, time left, memory and log. It continues when you close this window, and the best adapter is always saved.
      </EmptyState>
      <QueueCard />
    </>
  )
}

/** Before the first snapshot: the page in its final size, without numbers. */
function Waiting() {
  return (
    <div aria-busy="true">
      <PageHeader title="Training" subtitle="Connecting to the server…" />
      <div className="flex flex-col gap-3">
        <Skeleton className="h-15 rounded-card" />
        <div className="grid grid-cols-2 gap-3 md:grid-cols-3 xl:grid-cols-6">
          {['a', 'b', 'c', 'd', 'e', 'f'].map((key) => (
            <Skeleton key={key} className="h-23 rounded-card" />
          ))}
        </div>
        <Skeleton className="h-96 rounded-card" />
      </div>
    </div>
  )
}
