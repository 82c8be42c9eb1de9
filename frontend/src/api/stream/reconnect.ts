/** What the page shows is asked for again once a server that was not heard answers: what failed, and what may have changed. */
import { setupListeners } from '@reduxjs/toolkit/query'
import type { Connection } from './eventStream'

type Store = { readonly dispatch: Parameters<typeof setupListeners>[0]; readonly subscribe: (listener: () => void) => () => void }

export function refetchAfterReconnect(store: Store, connection: () => Connection): () => void {
  let lost = false
  return setupListeners(store.dispatch, (dispatch, { onOnline }) =>
    store.subscribe(() => {
      const now = connection()
      if (now === 'reconnecting') lost = true
      if (now !== 'connected' || !lost) return
      lost = false
      dispatch(onOnline())
    }),
  )
}
