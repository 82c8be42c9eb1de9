/** What the run had to tell while it trained, each with the setting that would mend it. */
import { useSessionAlertsQuery } from '@/api/generated'
import { HealthBadge } from '@/run/view/HealthBadge'
import { AlertNotice } from '@/start/page/AlertNotice'
import { Card } from '@/ui/Card'
import type { SessionView } from './record'

export function SessionHealth({ session }: { readonly session: SessionView }) {
  const { data } = useSessionAlertsQuery({ sessionId: session.id })
  if (!data || (data.alerts.length === 0 && data.health === null)) return null
  return (
    <Card title="Health" actions={<HealthBadge verdict={data.health} />}>
      {data.alerts.length === 0 ? <p className="text-soft">Nothing to report.</p> : null}
      <div className="flex flex-col gap-2">
        {data.alerts.map((alert) => (
          <AlertNotice key={`${alert.code} ${alert.message}`} alert={alert} name={session.name} config={session.repeatable} />
        ))}
      </div>
    </Card>
  )
}
