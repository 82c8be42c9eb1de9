/** Keeps the page connected to the server's events for as long as it is open, and what it shows true after a lost connection. */
import { useEffect } from 'react'
import { useStore } from 'react-redux'
import { refetchAfterReconnect } from '@/api/stream/reconnect'
import type { RootState } from '@/app/store'
import { selectConnection } from '@/run/reducer/runSlice'
import { startRunFeed } from '@/run/stream/runFeed'

export function useLiveRun(): void {
  const store = useStore<RootState>()
  useEffect(() => {
    const stream = startRunFeed({ store })
    const retry = () => stream.retryNow()
    globalThis.addEventListener('online', retry)
    const endRefetch = refetchAfterReconnect(store, () => selectConnection(store.getState()))
    return () => {
      globalThis.removeEventListener('online', retry)
      endRefetch()
      stream.close()
    }
  }, [store])
}
