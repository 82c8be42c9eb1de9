/** What a data file holds, asked when its path has stood still. A large one is read to its end, and can be stopped. */
import type { ModelInfo } from '@/api/generated'
import { useExamination } from './useExamination'
import { useDebounced } from '@/lib/useDebounced'

const SETTLE_MS = 300

export type Inspection = ReturnType<typeof useInspection>

/** With a model, rows are measured in its tokens, against the length at which they are cut. */
export type Measure = {
  readonly model: ModelInfo | null
  readonly length: number | null
  /** Rows per iteration, to tell which rows an epoch of the plain engine leaves over. */
  readonly batch?: number | null
  /** What the run is judged by: its rows should not be trained on. */
  readonly valid?: ValidFile
}

type ValidFile = { readonly path: string; readonly inspection: Pick<Inspection, 'found' | 'looking' | 'canCancel'> }

export function useInspection(path: string, { model, length, batch = null, valid }: Measure) {
  const asked = useDebounced(path.trim(), SETTLE_MS)
  const limit = useDebounced(length, SETTLE_MS)
  const rows = useDebounced(batch, SETTLE_MS)
  const { found: held, looking = false, canCancel = false } = valid?.inspection ?? {}
  const examination = useExamination({
    path: asked,
    model: model?.problem === null ? model.path : null,
    limit,
    batch: rows,
    // One that can't be read is told of at its own field.
    valid: valid && held ? valid.path.trim() : null,
    // Else it would be read twice, without and with the other file. A large one is not waited for.
    skip: looking && !held && !canCancel,
  })
  const current = asked === path.trim() && asked !== ''
  return {
    ...examination,
    found: current ? examination.found : null,
    looking: path.trim() !== '' && (!current || examination.busy),
    problem: current && !examination.busy ? examination.problem : null,
  }
}
