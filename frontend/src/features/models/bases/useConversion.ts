/** The conversion at work, or the last one: asked once, followed over the event stream. */
import { useEffect } from 'react'
import { useDispatch, useSelector } from 'react-redux'
import { readProblem } from '@/api/errors'
import { api, useConversionStatusQuery, useStopConversionMutation } from '@/api/generated'
import { selectJob, selectSnapshots, type JobView } from '@/api/jobSlice'

type State = Parameters<typeof selectJob>[0]

export type Conversion = ReturnType<typeof useConversion>

export function useConversion() {
  const dispatch = useDispatch()
  const { data, refetch } = useConversionStatusQuery()
  const id = data?.job_id ?? null
  const job = useSelector((state: State): JobView | null => selectJob(state, id))
  const snapshots = useSelector(selectSnapshots)
  const [stop, stopping] = useStopConversionMutation()

  useEffect(() => {
    if (snapshots > 0) void refetch()
  }, [snapshots, refetch])

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
