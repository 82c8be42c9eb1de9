/** Where the run is, and how long it still takes. Its times stand still when it has ended, and while the server is not heard. */
import { useSelector } from 'react-redux'
import { progressOf, selectLostAt, timesOf } from '@/run/reducer/runSlice'
import { isLive, type RunView } from '@/run/reducer/runReducer'
import { clock, compact, count, duration } from '@/lib/format'
import { ProgressBar } from '@/ui/feedback/ProgressBar'
import { NotifyButton } from './NotifyButton'
import { phaseWords } from './phases'
import { useClock } from '@/lib/useClock'

export function RunProgress({ run }: { readonly run: RunView }) {
  const live = isLive(run.state)
  const lostAt = useSelector(selectLostAt)
  const ticking = useClock(live && run.state !== 'paused' && lostAt === null)
  const now = lostAt ?? ticking
  const { step, total, fraction } = progressOf(run)
  const { elapsed, remaining } = timesOf(run, now)
  const where = [
    step === null ? null : `iteration ${count(step)} of ${count(total)}`,
    run.metrics.epoch == null ? null : `epoch ${compact(run.metrics.epoch, 2)}`,
  ].filter(Boolean)
  return (
    <section aria-label="Progress" className="rounded-card border border-line bg-card px-4 pt-3 pb-3.5">
      <div className="mb-2 flex flex-wrap items-baseline justify-between gap-x-4 gap-y-0.5">
        <p className="flex flex-wrap items-baseline gap-x-3">
          {/* Training and evaluating take turns, too often to be read out. */}
          <span className="font-semibold" aria-live={run.state === 'running' ? 'off' : 'polite'}>
            {phaseWords(run)}
          </span>
          <span className="text-soft">{where.join(' · ')}</span>
        </p>
        <p className="flex items-baseline gap-x-3 text-soft">
          {live ? <NotifyButton /> : null}
          {elapsed === null ? null : <span>{live ? `${clock(elapsed)} elapsed` : `Total ${duration(elapsed)}`}</span>}
          {remaining === null ? null : <span className="font-semibold text-ink">{clock(remaining)} left</span>}
        </p>
      </div>
      <ProgressBar
        label="Progress of the run"
        value={run.state === 'starting' ? null : (fraction ?? (live ? null : 0))}
        text={where.join(', ') || phaseWords(run)}
      />
    </section>
  )
}
