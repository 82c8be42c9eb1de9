/** What the run wants its user to know: cause first, then the fix. */
import type { Alert } from '@/api/frames'
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
        <Notice key={`${alert.code} ${alert.message}`} tone={TONES[alert.level]} title={alert.message}>
          {alert.hint}
        </Notice>
      ))}
      {alerts.length > SHOWN ? (
        <p className="px-1 text-small text-faint">{alerts.length - SHOWN} older alerts are in the log.</p>
      ) : null}
    </>
  )
}
