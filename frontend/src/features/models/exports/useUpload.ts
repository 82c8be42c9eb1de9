/** The upload at work, or the last one: asked once, followed over the event stream. */
import { useCallback, useEffect } from 'react'
import { useDispatch } from 'react-redux'
import { api, useStopUploadMutation, useUploadStatusQuery } from '@/api/generated'
import { refetchFresh } from '@/api/refetchFresh'
import { useJob } from '@/api/useJob'

export type Upload = ReturnType<typeof useUpload>

export function useUpload() {
  const dispatch = useDispatch()
  const { data, refetch } = useUploadStatusQuery(undefined, { refetchOnMountOrArgChange: true })
  const id = data?.job_id ?? null
  const again = useCallback(() => void refetchFresh(refetch), [refetch])
  const job = useJob(id, again)
  const [stop, stopping] = useStopUploadMutation()
  const over = job?.over === true
  useEffect(() => {
    if (over) dispatch(api.util.invalidateTags(['exports']))
  }, [over, id, dispatch])
  const state = job?.state ?? data?.state ?? null
  return {
    name: data?.export ?? null,
    repo: data?.repo_id ?? null,
    running: state === 'starting' || state === 'running',
    state,
    phase: job?.phase ?? data?.phase ?? null,
    progress: job?.progress ?? data?.progress ?? null,
    message: job?.message ?? data?.message ?? null,
    error: job?.error ?? data?.error ?? null,
    hint: job?.hint ?? data?.hint ?? null,
    /** Whether it ended while this page was looking. */
    witnessed: over,
    url: data?.result?.url ?? null,
    stop: () => void stop(),
    stopping: stopping.isLoading,
  }
}
