/** What a data file holds, asked when its path has stood still. */
import { readProblem } from '@/api/errors'
import { useInspectDatasetQuery, type ModelInfo } from '@/api/generated'
import { useDebounced } from '@/lib/useDebounced'

const SETTLE_MS = 300

export type Inspection = ReturnType<typeof useInspection>

/** With a model, rows are measured in its tokens, against the length at which they are cut. */
export type Measure = { readonly model: ModelInfo | null; readonly length: number | null }

export function useInspection(path: string, { model, length }: Measure) {
  const asked = useDebounced(path.trim(), SETTLE_MS)
  const cut = useDebounced(length, SETTLE_MS)
  const usable = model?.problem === null ? model.path : null
  const { currentData, error, isFetching } = useInspectDatasetQuery(
    { inspectRequest: { path: asked, model: usable, max_seq_length: cut } },
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
