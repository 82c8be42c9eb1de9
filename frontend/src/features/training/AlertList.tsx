/** What the run wants its user to know: cause first, then the fix. */
import type { Alert } from '@/api/frames'
import { configGroups } from '@/run/reducer/runConfig'
import type { RunConfig } from '@/run/reducer/runReducer'
import { headline, isFact } from '@/start/review/review'
import { Notice } from '@/ui/feedback/Notice'
import type { Advice } from '@/features/training/run/advice'

type Props = { readonly alerts: readonly Alert[]; readonly advice: Advice | null; readonly config: RunConfig | null }

const TONES = { info: 'info', warning: 'warn', error: 'bad' } as const
/** The newest few are shown; the log has all. */
const SHOWN = 3

export function AlertList({ alerts, advice, config }: Props) {
  const changed = changedIn(config)
  const shown = alerts.slice(-SHOWN).reverse()
  return (
    <>
      {advice ? (
        <Notice tone="warn" title={advice.title}>
          {advice.text}
        </Notice>
      ) : null}
      {shown.map((alert) => (
        <AlertNotice key={`${alert.code} ${alert.message}`} alert={alert} changed={changed} />
      ))}
      {alerts.length > SHOWN ? (
        <p className="px-1 text-small text-faint">{alerts.length - SHOWN} older alerts are in the log.</p>
      ) : null}
    </>
  )
}

/** What Review shows as a fact looks like one here too. */
function AlertNotice({ alert, changed }: { readonly alert: Alert; readonly changed: ReadonlySet<string> }) {
  if (alert.level !== 'warning' || !isFact(alert.message, changed)) {
    return (
      <Notice tone={TONES[alert.level]} title={alert.message}>
        {alert.hint}
      </Notice>
    )
  }
  const head = headline(alert.message)
  return (
    <Notice>
      {head === null ? (
        alert.message
      ) : (
        <details>
          <summary className="cursor-pointer list-none">
            {head} <span className="font-semibold underline">Why?</span>
          </summary>
          <p className="mt-1">{alert.message}</p>
        </details>
      )}
      {alert.hint ? <p>{alert.hint}</p> : null}
    </Notice>
  )
}

function changedIn(config: RunConfig | null): ReadonlySet<string> {
  const rows = config ? configGroups(config).flatMap((group) => group.rows) : []
  return new Set(rows.filter((row) => row.changed).map((row) => row.name))
}
