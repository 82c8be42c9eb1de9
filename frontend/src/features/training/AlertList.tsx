/** What the run wants its user to know: cause first, then the fix. */
import type { Alert } from '@/api/frames'
import { configGroups } from '@/run/reducer/runConfig'
import type { RunConfig } from '@/run/reducer/runReducer'
import { headline, isFact } from '@/start/review/review'
import { AlertNotice, type AlertOf } from '@/start/page/AlertNotice'
import { Notice } from '@/ui/feedback/Notice'

type Props = { readonly alerts: readonly Alert[]; readonly name: string; readonly config: RunConfig | null }

/** The newest few are shown; the log has all. */
const SHOWN = 3

export function AlertList({ alerts, name, config }: Props) {
  const changed = changedIn(config)
  const shown = alerts.slice(-SHOWN).reverse()
  return (
    <>
      {shown.map((alert) => (
        <RunAlert key={`${alert.code} ${alert.message}`} alert={alert} name={name} config={config} changed={changed} />
      ))}
      {alerts.length > SHOWN ? (
        <p className="px-1 text-small text-faint">{alerts.length - SHOWN} older alerts are in the log.</p>
      ) : null}
    </>
  )
}

type RunAlertProps = AlertOf & { readonly alert: Alert; readonly changed: ReadonlySet<string> }

/** What Review shows as a fact looks like one here too. */
function RunAlert({ alert, name, config, changed }: RunAlertProps) {
  if (alert.level !== 'warning' || !isFact(alert.message, changed)) return <AlertNotice alert={alert} name={name} config={config} />
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
