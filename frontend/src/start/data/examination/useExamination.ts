/** One examination of a file: asked, followed over the event stream, fetched when it is done. */
import { useCallback, useEffect, useRef } from 'react'
import { readProblem } from '@/api/errors'
import {
  api,
  useCancelDatasetJobMutation,
  useDatasetJobQuery,
  useStartInspectionQuery,
  type DatasetInspection,
  type DatasetJob,
} from '@/api/generated'
import { useJob } from '@/api/useJob'

// These share a tag with the list of files, but a changed list must not start a job anew.
api.enhanceEndpoints({
  endpoints: {
    cancelDatasetJob: { invalidatesTags: [] },
    startInspection: { providesTags: [] },
    datasetJob: { providesTags: [] },
  },
})

type Asked = {
  readonly path: string
  readonly model: string | null
  readonly limit: number | null
  readonly batch?: number | null
  readonly valid?: string | null
  readonly skip: boolean
}

export type Examination = ReturnType<typeof useExamination>

export function useExamination({ path, model, limit, batch = null, valid = null, skip }: Asked) {
  const request = {
    path,
    model,
    max_seq_length: limit,
    ...(batch === null ? {} : { batch_size: batch }),
    ...(valid === null ? {} : { valid_path: valid }),
  }
  const started = useStartInspectionQuery(
    { inspectRequest: request },
    // The file may have changed; the server remembers what it need not read again.
    { skip: skip || path === '', refetchOnMountOrArgChange: true },
  )
  const job = started.currentData ?? null
  const id = job !== null && isOpen(job) ? job.job_id : null
  const late = useDatasetJobQuery({ jobId: id ?? '' }, { skip: id === null })
  const { refetch } = late
  const again = useCallback(() => {
    if (id !== null) void refetch()
  }, [id, refetch])
  const told = useJob(id, again)
  const [cancelJob] = useCancelDatasetJobMutation()
  // They are read one after the other: one that nobody waits for any more must not hold up the next.
  const begun = useRef<{ readonly of: string; readonly ids: readonly string[] }>({ of: '', ids: [] })
  useEffect(() => {
    const of = JSON.stringify([path, valid])
    const { of: before, ids } = begun.current
    if (of !== before) for (const old of ids) void cancelJob({ jobId: old })
    const kept = of === before ? ids : []
    begun.current = { of, ids: id === null || kept.includes(id) ? kept : [...kept, id] }
  }, [id, path, valid, cancelJob])
  const cancel = useCallback(() => {
    if (id !== null) void cancelJob({ jobId: id })
  }, [cancelJob, id])

  const newest = late.currentData && id !== null ? late.currentData : job
  const ended = newest !== null && !isOpen(newest)
  const failure = newest?.state === 'error' ? newest : null
  return {
    /** What is shown: of another limit or model, the last answer stays until the new one is there. */
    found: path === '' ? null : (newest?.result ?? sameFile(started.data?.result, path) ?? sameFile(late.data?.result, path)),
    busy: path !== '' && !ended && started.error === undefined,
    phase: told?.phase ?? newest?.phase ?? null,
    share: told?.progress ?? newest?.progress ?? null,
    cancelled: newest?.state === 'cancelled',
    problem: readProblem(started.error) ?? (failure ? { detail: failure.error ?? '', hint: failure.hint ?? null } : null),
    canCancel: id !== null,
    cancel,
    again: started.refetch,
  }
}

function isOpen(job: DatasetJob): boolean {
  return job.state === 'waiting' || job.state === 'running'
}

function sameFile(result: DatasetInspection | null | undefined, path: string): DatasetInspection | null {
  return result && (result.path === path || result.path.startsWith(`${path}/`)) ? result : null
}
