/** Keeps the page connected to the server's events for as long as it is open. */
import { useEffect } from 'react'
import { useStore } from 'react-redux'
import { startRunFeed } from '@/run/stream/runFeed'

export function useLiveRun(): void {
  const store = useStore()
  useEffect(() => {
    const stream = startRunFeed({ store })
    const retry = () => stream.retryNow()
    globalThis.addEventListener('online', retry)
    return () => {
      globalThis.removeEventListener('online', retry)
      stream.close()
    }
  }, [store])
}
