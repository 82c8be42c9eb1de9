/** The sessions one under the other, for narrow screens. */
import { Link } from 'react-router'
import type { SessionSummary } from '@/api/generated'
import { methodOf } from '@/run/reducer/runConfig'
import { bestWords, metricWords } from '@/run/series/best'
import { cx } from '@/lib/cx'
import { duration, moment, UNKNOWN } from '@/lib/format'
import { Badge } from '@/ui/Badge'
import { StateBadge } from '@/run/view/StateBadge'
import { ChooseRun } from './ChooseRun'
import { SessionActions } from './SessionActions'
import { sessionName } from './sessions'

type Props = {
  readonly sessions: readonly SessionSummary[]
  readonly chosen: readonly string[]
  readonly onChoose: (id: string) => void
  readonly className?: string
}

export function SessionList({ sessions, chosen, onChoose, className }: Props) {
  return (
    <ul className={cx('flex flex-col gap-2', className)}>
      {sessions.map((session) => (
        <li key={session.session_id} className="rounded-card border border-line bg-card p-3">
          <div className="flex items-center justify-between gap-2">
            <span className="flex min-w-0 items-center gap-2">
              {session.problem == null ? (
                <ChooseRun
                  session={session}
                  chosen={chosen.includes(session.session_id)}
                  onChoose={() => onChoose(session.session_id)}
                />
              ) : null}
              {session.problem == null ? (
                <Link
                  to={`/results/${encodeURIComponent(session.session_id)}`}
                  className="truncate rounded-small font-medium hover:text-accent"
                >
                  {sessionName(session)}
                </Link>
              ) : (
                <span className="truncate font-medium">{sessionName(session)}</span>
              )}
              {session.legacy ? <Badge>legacy</Badge> : null}
            </span>
            <SessionActions session={session} />
          </div>
          {session.problem == null ? (
            <>
              <p className="truncate text-small text-soft">
                {session.model_name ?? UNKNOWN} · {methodOf(session)}
              </p>
              <div className="mt-1.5 flex flex-wrap items-center gap-x-3 gap-y-1 text-small text-soft">
                {session.training_state ? <StateBadge state={session.training_state} /> : null}
                <span>
                  best{wordOf(session)} <span className="font-medium text-ink">{bestWords(session.best_metric, session.best_value)}</span>
                </span>
                <span>{duration(session.duration_seconds)}</span>
                <span className="ml-auto">{moment(session.timestamp)}</span>
              </div>
            </>
          ) : (
            <p className="mt-1 text-small break-words text-bad">{session.problem}</p>
          )}
        </li>
      ))}
    </ul>
  )
}

/** What it is best by, where that is not the loss as in most runs. */
function wordOf({ best_metric: metric }: SessionSummary): string {
  return metric && metric !== 'val_loss' ? ` ${metricWords(metric)}` : ''
}
