/** The model list. While the server starts it is asked again by itself. */
import { useCallback } from 'react'
import { readProblem } from '@/api/errors'
import { useListModelsQuery, useLoraTargetsQuery, type ModelInfo } from '@/api/generated'
import { useBackOff } from '@/lib/useBackOff'

const NONE: readonly ModelInfo[] = []

export type ModelList = ReturnType<typeof useModels>

export function useModels() {
  const { data, error, isFetching, refetch } = useListModelsQuery()
  const problem = readProblem(error)
  const retry = useCallback(() => void refetch(), [refetch])
  useBackOff(problem !== null && !isFetching, retry)
  return { models: data?.models ?? NONE, loaded: data !== undefined, problem, retry, retrying: isFetching }
}

/** What LoRA can attach to in this model; a child works it out, which may take seconds. */
export function useTargets(model: ModelInfo | null) {
  const skip = model === null || model.problem !== null
  // By path: two folders may have one name, and an opened one has no name that the server knows.
  const { currentData, error, isFetching, refetch } = useLoraTargetsQuery({ name: model?.path ?? '' }, { skip })
  const problem = skip || isFetching ? null : readProblem(error)
  useBackOff(problem?.offline === true, refetch)
  return { targets: currentData ?? null, problem }
}
