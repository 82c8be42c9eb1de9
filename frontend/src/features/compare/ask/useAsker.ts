/** What an asker is at, and a way to have its answers kept by the server. */
import { useCallback, useSyncExternalStore } from 'react'
import { readProblem } from '@/api/errors'
import { useKeepComparisonMutation } from '@/api/generated'
import type { Asker, Asking, Keep } from './asker'

export function useAsking(asker: Asker): Asking {
  return useSyncExternalStore(asker.subscribe, asker.snapshot)
}

/** Works on when the page has been left: the answer may be there only then. */
export function useKeep(): Keep {
  const [send] = useKeepComparisonMutation()
  return useCallback<Keep>(
    async (given) => {
      const { data, error } = await send({ comparisonIn: given })
      const problem = readProblem(error)
      if (problem) return problem
      if (!data) throw new TypeError('An answer without data.')
      return data
    },
    [send],
  )
}
