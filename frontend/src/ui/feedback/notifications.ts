/** Messages of the system: through the desktop window where there is one, else the browser's own. */
import { useSyncExternalStore } from 'react'
import { bridge } from '@/lib/bridge'

export type NotifyPermission = 'granted' | 'denied' | 'default' | 'missing'

const listeners = new Set<() => void>()

export function readPermission(): NotifyPermission {
  if (bridge()) return 'granted'
  return 'Notification' in globalThis ? globalThis.Notification.permission : 'missing'
}

export function useNotifyPermission(): NotifyPermission {
  return useSyncExternalStore(subscribe, readPermission)
}

/** Only after a click: browsers refuse to ask otherwise. */
export async function askToNotify(): Promise<void> {
  if (readPermission() === 'missing') return
  await globalThis.Notification.requestPermission()
  listeners.forEach((listener) => listener())
}

/** Shows it where that is allowed. A click brings the page to the front. The desktop window shows it unless it is looked at. */
export function notify(title: string, body: string, onClick: () => void): void {
  const desktop = bridge()
  if (desktop) {
    void desktop.notify(title, body.replace(/\s+/g, ' ').slice(0, 500))
    return
  }
  if (readPermission() !== 'granted') return
  const shown = new globalThis.Notification(title, { body, tag: 'droid-run' })
  shown.onclick = () => {
    globalThis.focus()
    onClick()
  }
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}
