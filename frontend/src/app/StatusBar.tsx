/** One quiet line: the connection, the run, the machine. */
import { useSelector } from 'react-redux'
import { useSystemQuery, type SystemInfo } from '@/api/generated'
import type { RunView } from '@/run/reducer/runReducer'
import { progressOf, selectConnection, selectIsLive, selectLostAt, selectQueue, selectRun, timesOf } from '@/run/reducer/runSlice'
import { ConnectionBadge } from '@/app/ConnectionBadge'
import { cx } from '@/lib/cx'
import { clock, compact, count, loss, timeOfDay, UNKNOWN } from '@/lib/format'
import { useClock } from '@/lib/useClock'
import { ProgressBar } from '@/ui/feedback/ProgressBar'

export function StatusBar() {
  const connection = useSelector(selectConnection)
  const { data } = useSystemQuery(undefined, { skip: connection !== 'connected' })
  return (
    <footer className="short:max-md:hidden flex h-7.5 shrink-0 items-center gap-5 overflow-hidden border-t border-line bg-sidebar px-3.5 text-small whitespace-nowrap text-soft">
      <ConnectionBadge connection={connection} />
      <LastHeard />
      <RunLine />
      <WaitingLine />
      {data ? <Machine system={data} /> : null}
    </footer>
  )
}

function LastHeard() {
  const lostAt = useSelector(selectLostAt)
  return lostAt === null ? null : <span className="shrink-0">Last heard {timeOfDay(lostAt)}</span>
}

function RunLine() {
  const run = useSelector(selectRun)
  const live = useSelector(selectIsLive)
  const lostAt = useSelector(selectLostAt)
  const ticking = useClock(live && lostAt === null)
  const now = lostAt ?? ticking
  const { step, total, fraction } = progressOf(run)
  if (!live) return <span className="truncate">{LABELS[run.state] ?? run.state}</span>
  const { remaining } = timesOf(run, now)
  return (
    <span className={cx('flex min-w-0 items-center gap-3', lostAt !== null && 'opacity-60')}>
      <span className="truncate">
        {LABELS[run.state] ?? run.state}
        {step === null ? null : ` · ${count(step)} / ${count(total)}`}
        {remaining === null ? null : ` · ${clock(remaining)} left`}
        {lastWord(run)}
      </span>
      <ProgressBar label="Progress of the run" value={fraction} className="hidden w-28 shrink-0 lg:block" />
    </span>
  )
}

/** What the run is judged by: the loss of a run by rewards says nothing. */
function lastWord({ metrics }: RunView): string | null {
  if (metrics.avg_reward != null) return ` · reward ${compact(metrics.avg_reward)}`
  return metrics.train_loss == null ? null : ` · loss ${loss(metrics.train_loss)}`
}

function WaitingLine() {
  const { length } = useSelector(selectQueue)
  return length === 0 ? null : <span className="shrink-0">{count(length)} waiting</span>
}

const LABELS: Partial<Record<string, string>> = {
  idle: 'Idle',
  starting: 'Starting',
  running: 'Training',
  paused: 'Paused',
  stopping: 'Stopping',
  completed: 'Finished',
  stopped: 'Stopped',
  error: 'Failed',
  interrupted: 'Interrupted',
}

function Machine({ system }: { readonly system: SystemInfo }) {
  const { memory_total: total, memory_available: free, engines } = system
  const used = total === null || free === null ? null : total - free
  return (
    <span className="ml-auto hidden items-center gap-5 md:flex">
      <span className="max-w-64 truncate" title={system.blas.path ?? undefined}>
        {[system.chip, system.device].filter(Boolean).join(' · ')}
      </span>
      <span>
        Memory {used === null ? UNKNOWN : (used / 1e9).toFixed(1)} / {total === null ? UNKNOWN : (total / 1e9).toFixed(0)} GB
      </span>
      <span className="hidden lg:inline">{versions(engines)}</span>
    </span>
  )
}

function versions(engines: SystemInfo['engines']): string {
  return ['mlx', 'mlx-lm']
    .map((name) => [name, engines[name] ?? engines[name.replace('-', '_')]] as const)
    .map(([name, version]) => `${name} ${version ?? UNKNOWN}`)
    .join(' · ')
}
