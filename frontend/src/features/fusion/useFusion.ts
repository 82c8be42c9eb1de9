/** The fusion that is running or was last, its result, and the adapters: followed over the event stream. */
import { useCallback } from 'react'
import { readProblem } from '@/api/errors'
import {
  useFuseAdaptersMutation,
  useFusionResultQuery,
  useFusionStatusQuery,
  useListFusionAdaptersQuery,
  useResetFusionMutation,
  useStopFusionMutation,
  type FuseRequest,
} from '@/api/generated'
import { refetchFresh } from '@/api/refetchFresh'
import { useJob } from '@/api/useJob'
import { useBackOff } from '@/lib/useBackOff'

export type Fusion = ReturnType<typeof useFusion>

export function useFusion() {
  const listed = useListFusionAdaptersQuery(undefined, { refetchOnMountOrArgChange: true })
  const status = useFusionStatusQuery(undefined, { refetchOnMountOrArgChange: true })
  const [send, starting] = useFuseAdaptersMutation()
  const [stop, stopping] = useStopFusionMutation()
  const [reset] = useResetFusionMutation()
  const now = status.data
  const { refetch: again } = status
  const { refetch: relist } = listed
  const retry = useCallback(() => {
    void refetchFresh(again)
    void refetchFresh(relist)
  }, [again, relist])
  const told = useJob(now?.job_id ?? null, retry)

  // The status has the result of the last fusion; an earlier one is asked for.
  const earlier = useFusionResultQuery(undefined, { skip: now === undefined || now.is_running || now.result !== null || !now.has_result })
  const offline = readProblem(listed.data === undefined ? listed.error : undefined)
  useBackOff(offline !== null && !listed.isFetching, retry)

  // Between the answer to a start and the status of it, the old status is no news.
  const { data: started, originalArgs } = starting
  const awaited = started !== undefined && started.job_id !== now?.job_id && status.isFetching
  const running = awaited || (now?.is_running ?? false)
  const result = now?.result ?? (now?.has_result ? earlier.currentData : undefined) ?? null
  return {
    adapters: listed.data?.adapters ?? null,
    /** Nothing is known yet. */
    waiting: listed.data === undefined || now === undefined || earlier.isLoading,
    problem: offline,
    retry,
    retrying: listed.isFetching,
    running,
    phase: awaited ? null : (told?.phase ?? now?.current_step ?? null),
    share: awaited ? 0 : (told?.progress ?? (now ? now.progress / 100 : null)),
    outputName: awaited ? started.output_name : (now?.output_name ?? null),
    names: (awaited ? originalArgs?.fuseRequest.adapter_names : now?.adapter_names) ?? [],
    /** Why the last one has no result. */
    ending: running || now === undefined ? null : endingOf(now.status, told?.error ?? now.error, told?.hint ?? now.hint, now.message),
    result,
    unreadable: readProblem(earlier.error),
    start: async (body: FuseRequest) => (await send({ fuseRequest: body })).data !== undefined,
    refused: readProblem(starting.error),
    starting: starting.isLoading,
    stop: () => void stop(),
    stopping: stopping.isLoading,
    stopProblem: readProblem(stopping.error),
    dismiss: () => void reset(),
  }
}

export type FusionEnding = { readonly kind: 'stopped' | 'failed'; readonly message: string; readonly hint: string | null }

function endingOf(status: string, error: string | null | undefined, hint: string | null | undefined, message: string | null | undefined): FusionEnding | null {
  if (status === 'stopped') return { kind: 'stopped', message: message ?? 'The fusion was stopped; nothing was written.', hint: null }
  if (status !== 'error') return null
  return { kind: 'failed', message: error ?? 'The fusion ended without a result.', hint: hint ?? null }
}
