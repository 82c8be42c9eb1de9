/** A model folder outside of the searched ones: the server describes it by its path. */
import { readProblem } from '@/api/errors'
import { useDescribeModelQuery, type ModelInfo } from '@/api/generated'
import type { Draft } from '@/start/fields/fieldRules'
import { useBackOff } from '@/lib/useBackOff'
import { useDebounced } from '@/lib/useDebounced'

const SETTLE_MS = 300

/** Asks only for what is in no list, when it has stood still. */
export function useOpenedModel(listed: ModelInfo | null, choice: Draft | undefined) {
  const path = listed === null && typeof choice === 'string' ? choice.trim() : ''
  const asked = useDebounced(path, SETTLE_MS)
  const skip = asked === '' || asked !== path
  const { currentData, error, isFetching, refetch } = useDescribeModelQuery({ path: asked }, { skip })
  const problem = skip || isFetching ? null : readProblem(error)
  useBackOff(problem?.offline === true, refetch)
  return { opened: skip || problem ? null : (currentData ?? null), problem }
}
