/** The window's inner height, as it changes. */
import { useSyncExternalStore } from 'react'

export function useWindowHeight(): number {
  return useSyncExternalStore(subscribe, () => globalThis.innerHeight)
}

function subscribe(changed: () => void): () => void {
  globalThis.addEventListener('resize', changed)
  return () => globalThis.removeEventListener('resize', changed)
}
