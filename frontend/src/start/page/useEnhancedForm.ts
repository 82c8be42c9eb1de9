/** The form of the chosen method. What is typed for one method stays for the next where it has the field too. */
import { useCallback, useMemo } from 'react'
import { useTrainingMethodsQuery, type EnhancedStart, type ModelInfo } from '@/api/generated'
import { readProblem } from '@/api/errors'
import type { Edits } from '@/start/fields/form'
import { useStartForm } from '@/start/fields/useStartForm'
import { useBackOff } from '@/lib/useBackOff'
import { methodOf, specsOf, WHOLE, type Methods } from './methodSpecs'

const NONE: Methods = {}

type Around = { readonly models: readonly ModelInfo[]; readonly taken: ReadonlySet<string> }

export function useEnhancedForm(around: Around) {
  const { data, error, isFetching, refetch } = useTrainingMethodsQuery()
  const problem = readProblem(error)
  const retry = useCallback(() => void refetch(), [refetch])
  useBackOff(problem !== null && !isFetching, retry)
  const methods = data?.methods ?? NONE
  const specs = useMemo(() => specsOf(methods), [methods])
  const specOf = useCallback((edits: Edits) => specs.get(methodOf(methods, edits) ?? '') ?? WHOLE, [methods, specs])
  const form = useStartForm<EnhancedStart>(specOf, around)
  const id = methodOf(methods, form.edits)
  return { form, methods, id, method: id === null ? null : (methods[id] ?? null), problem, loaded: data !== undefined }
}
