/** Render again when curves or log lines change. */
import { useSyncExternalStore } from 'react'
import type { Notifier } from '@/lib/notifier'

export function useVersion(store: Notifier): number {
  return useSyncExternalStore(store.subscribe, store.version)
}
