/** What a data file holds, asked when its path has stood still. */
import { readProblem } from '@/api/errors'
import { useInspectDatasetQuery } from '@/api/generated'
import { useDebounced } from '@/lib/useDebounced'

const SETTLE_MS = 300

export type Inspection = ReturnType<typeof useInspection>

export function useInspection(path: string) {
  const asked = useDebounced(path.trim(), SETTLE_MS)
  const { currentData, error, isFetching } = useInspectDatasetQuery(
    { inspectRequest: { path: asked } },
    // The file may have changed since it was last looked at.
    { skip: asked === '', refetchOnMountOrArgChange: true },
  )
  const current = asked === path.trim() && asked !== ''
  return {
    found: current ? (currentData ?? null) : null,
    looking: path.trim() !== '' && (!current || isFetching),
    problem: current && !isFetching ? readProblem(error) : null,
  }
}
