/** The win rate of one adapter against its base, with how sure it is. */
import type { Standing } from '@/api/generated'
import { percent, plural } from '@/lib/format'
import { Badge } from '@/ui/Badge'
import { cx } from '@/lib/cx'

export function StandingBar({ standing }: { readonly standing: Standing }) {
  const { adapter_name, model_name, votes, adapter_wins, base_wins, ties, win_rate, low, high, first_chosen } = standing
  const verdict = low !== null && low > 0.5 ? 'preferred' : high !== null && high < 0.5 ? 'not preferred' : 'too few votes'
  const tone = verdict === 'preferred' ? 'good' : verdict === 'not preferred' ? 'bad' : 'neutral'
  const decided = adapter_wins + base_wins
  return (
    <div className="flex min-w-0 flex-col gap-1.5">
      <div className="flex flex-wrap items-baseline gap-x-2.5 gap-y-1">
        <span className="font-medium break-all">{adapter_name}</span>
        <span className="text-small text-soft">vs {model_name}</span>
        <Badge tone={tone}>{verdict}</Badge>
        <span className="ml-auto tabular-nums">
          <span className="text-lead font-semibold">{win_rate === null ? '—' : percent(win_rate * 100, 0)}</span>{' '}
          {low === null || high === null ? null : (
            <span className="text-small text-soft">
              ({percent(low * 100, 0)} to {percent(high * 100, 0)})
            </span>
          )}
        </span>
      </div>
      <div aria-hidden="true" className="relative h-4">
        <span className="absolute inset-x-0 top-1.5 h-1 rounded-full bg-track" />
        <span className="absolute top-0 left-1/2 h-4 w-px bg-faint" />
        {low === null || high === null ? null : (
          <span
            className={cx('absolute top-1.25 h-1.5 min-w-1 rounded-full', tone === 'good' ? 'bg-good' : tone === 'bad' ? 'bg-bad' : 'bg-faint')}
            style={{ left: `${low * 100}%`, width: `${(high - low) * 100}%` }}
          />
        )}
      </div>
      <p className="text-small text-soft">
        {plural(votes, 'vote')}: adapter {adapter_wins}, base {base_wins}, ties {ties}.
        {decided > 0 ? ` Answer A was chosen ${first_chosen} of ${plural(decided, 'time')}.` : ''}
      </p>
    </div>
  )
}
