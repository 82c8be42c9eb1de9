/** The conversion at work, or the last one: asked once, followed over the event stream. */
import { useCallback, useEffect } from 'react'
import { useDispatch } from 'react-redux'
import { readProblem } from '@/api/errors'
import { api, useConversionStatusQuery, useStopConversionMutation } from '@/api/generated'
import { refetchFresh } from '@/api/refetchFresh'
import { useJob } from '@/api/useJob'

export type Conversion = ReturnType<typeof useConversion>

export function useConversion() {
  const dispatch = useDispatch()
  const { data, refetch } = useConversionStatusQuery()
  const id = data?.job_id ?? null
  const again = useCallback(() => void refetchFresh(refetch), [refetch])
  const job = useJob(id, again)
  const [stop, stopping] = useStopConversionMutation()

  const over = job?.over === true
  useEffect(() => {
    if (over) dispatch(api.util.invalidateTags(['models']))
  }, [over, id, dispatch])

  const state = job?.state ?? data?.state ?? null
  return {
    source: data?.source ?? null,
    output: data?.output_name ?? null,
    running: state === 'starting' || state === 'running',
    state,
    phase: job?.phase ?? data?.phase ?? null,
    progress: job?.progress ?? data?.progress ?? null,
    error: job?.error ?? data?.error ?? null,
    hint: job?.hint ?? data?.hint ?? null,
    /** Whether it ended while this page was looking. */
    witnessed: over,
    result: data?.result ?? null,
    stop: () => void stop(),
    stopping: stopping.isLoading,
    stopProblem: readProblem(stopping.error),
  }
}
