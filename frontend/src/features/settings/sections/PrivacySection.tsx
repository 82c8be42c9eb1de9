/** What leaves this computer, and when: nothing by itself. */
import { ShieldCheck } from 'lucide-react'
import type { Connection } from '@/api/generated'
import { Card } from '@/ui/Card'

export function PrivacySection({ connections }: { readonly connections: readonly Connection[] }) {
  return (
    <Card title="Privacy">
      <p className="flex gap-2 text-small text-ink">
        <ShieldCheck className="mt-0.5 size-4 shrink-0 text-good" aria-hidden="true" />
        Models, data and runs stay on this computer. The app counts nothing, reports nothing and looks for no updates. It connects to
        another computer only in these cases:
      </p>
      <ul className="mt-3 flex flex-col divide-y divide-line border-t border-line">
        {connections.map((each) => (
          <li key={each.name} className="grid gap-x-6 gap-y-0.5 py-2.5 text-small sm:grid-cols-[11rem_minmax(0,1fr)]">
            <div className="min-w-0">
              <div className="font-medium text-ink">{each.name}</div>
              {each.host ? <div className="font-mono text-tiny break-all text-faint">{each.host.replace(/^https?:\/\//, '')}</div> : null}
            </div>
            <div className="min-w-0 text-soft">
              <div>{each.when}</div>
              <div className="text-tiny text-faint">Sends: {each.sends}</div>
            </div>
          </li>
        ))}
      </ul>
    </Card>
  )
}
