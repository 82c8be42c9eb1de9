/** The form of the chosen method. What is typed for one method stays for the next where it has the field too. */
import { useCallback, useMemo } from 'react'
import { useTrainingMethodsQuery, type ModelInfo, type RunDefaults } from '@/api/generated'
import { readProblem } from '@/api/errors'
import type { Edits } from '@/start/fields/fieldRules'
import { useStartForm } from '@/start/fields/useStartForm'
import { useBackOff } from '@/lib/useBackOff'
import { methodOf, specsOf, type Methods } from '@/start/method/methodSpecs'
import type { StartKind, StartRequest } from './startKinds'

const NONE: Methods = {}

type Around = { readonly models: readonly ModelInfo[]; readonly taken: ReadonlySet<string>; readonly chosen?: RunDefaults | undefined }

/** Where no method is chosen, the fields are always the same and nothing is asked. */
export function useMethodForm({ byMethod, whole }: StartKind, around: Around) {
  const { data, error, isFetching, refetch } = useTrainingMethodsQuery(undefined, { skip: !byMethod })
  const problem = readProblem(error)
  const retry = useCallback(() => void refetch(), [refetch])
  useBackOff(problem !== null && !isFetching, retry)
  const methods = data?.methods ?? NONE
  const specs = useMemo(() => specsOf(methods), [methods])
  const specOf = useCallback(
    (edits: Edits) => (byMethod ? (specs.get(methodOf(methods, edits) ?? '') ?? whole) : whole),
    [byMethod, methods, specs, whole],
  )
  const form = useStartForm<StartRequest>(specOf, around)
  const id = byMethod ? methodOf(methods, form.edits) : null
  const method = id === null ? undefined : methods[id]
  return {
    form,
    methods,
    chosen: id === null || method === undefined ? null : { id, method },
    problem: data === undefined ? problem : null,
    loaded: !byMethod || data !== undefined,
  }
}
