import type { Connection } from '@/api/stream/eventStream'
import { cx } from '@/lib/cx'

const LOOKS: Record<Connection, { readonly text: string; readonly tone: string }> = {
  connected: { text: 'Connected', tone: 'text-good' },
  connecting: { text: 'Connecting…', tone: 'text-soft' },
  reconnecting: { text: 'Reconnecting…', tone: 'text-warn' },
}

/** Whether the page hears the server. No toast: it is always here, and it mends itself. */
export function ConnectionBadge({ connection }: { readonly connection: Connection }) {
  const { text, tone } = LOOKS[connection]
  return (
    <span role="status" className={cx('flex shrink-0 items-center gap-1.5 font-medium', tone)}>
      <span className="size-2 rounded-full bg-current" aria-hidden="true" />
      {text}
    </span>
  )
}
