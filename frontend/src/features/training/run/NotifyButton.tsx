/** Asks the browser once whether it may tell of the end of a run; nothing where it was asked, or where the window tells by itself. */
import { useState } from 'react'
import { bridge } from '@/lib/bridge'
import { LinkButton } from '@/ui/controls/LinkButton'

export function NotifyButton() {
  const [asked, setAsked] = useState(false)
  if (asked || bridge() || !('Notification' in globalThis) || Notification.permission !== 'default') return null
  return (
    <LinkButton
      className="text-small font-normal"
      onClick={() => {
        setAsked(true)
        void Notification.requestPermission()
      }}
    >
      Notify me at the end
    </LinkButton>
  )
}
