/** What the run wants its user to know: cause first, then the fix. */
import type { Alert } from '@/api/frames'
import { headline } from '@/start/review/review'
import { Notice } from '@/ui/feedback/Notice'
import type { Advice } from '@/features/training/run/advice'

type Props = { readonly alerts: readonly Alert[]; readonly advice: Advice | null }

const TONES = { info: 'info', warning: 'warn', error: 'bad' } as const
/** The newest few are shown; the log has all. */
const SHOWN = 3

export function AlertList({ alerts, advice }: Props) {
  const shown = alerts.slice(-SHOWN).reverse()
  return (
    <>
      {advice ? (
        <Notice tone="warn" title={advice.title}>
          {advice.text}
        </Notice>
      ) : null}
      {shown.map((alert) => (
        <AlertNotice key={`${alert.code} ${alert.message}`} alert={alert} />
      ))}
      {alerts.length > SHOWN ? (
        <p className="px-1 text-small text-faint">{alerts.length - SHOWN} older alerts are in the log.</p>
      ) : null}
    </>
  )
}

/** A long one is one line, the rest behind it, as in Review. */
function AlertNotice({ alert }: { readonly alert: Alert }) {
  const head = headline(alert.message)
  return (
    <Notice tone={TONES[alert.level]} title={alert.level === 'info' ? undefined : (head ?? alert.message)}>
      {head === null && alert.level === 'info' ? alert.message : null}
      {head === null ? null : (
        <details>
          <summary className="cursor-pointer list-none">
            {alert.level === 'info' ? `${head} ` : null}
            <span className="font-semibold underline">Why?</span>
          </summary>
          <p className="mt-1">{alert.message}</p>
        </details>
      )}
      {alert.hint ? <p>{alert.hint}</p> : null}
    </Notice>
  )
}
