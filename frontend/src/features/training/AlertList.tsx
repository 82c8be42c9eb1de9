/** What the run wants its user to know: cause first, then the fix. */
import type { Alert } from '@/api/frames'
import { AlertNotice, type AlertOf } from '@/start/page/AlertNotice'

type Props = AlertOf & { readonly alerts: readonly Alert[] }

/** The newest few are shown; the log has all. */
const SHOWN = 3

export function AlertList({ alerts, name, config }: Props) {
  const shown = alerts.slice(-SHOWN).reverse()
  return (
    <>
      {shown.map((alert) => (
        <AlertNotice key={`${alert.code} ${alert.message}`} alert={alert} name={name} config={config} />
      ))}
      {alerts.length > SHOWN ? (
        <p className="px-1 text-small text-faint">{alerts.length - SHOWN} older alerts are in the log.</p>
      ) : null}
    </>
  )
}
