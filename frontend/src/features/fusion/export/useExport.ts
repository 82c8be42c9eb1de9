/** The export that is running or was last, followed over the event stream, and the formats for one adapter. */
import { useCallback } from 'react'
import { readProblem } from '@/api/errors'
import {
  useExportFormatsQuery,
  useExportModelMutation,
  useExportProgramsQuery,
  useExportStatusQuery,
  useResetExportMutation,
  useStopExportMutation,
  type ExportRequestBody,
} from '@/api/generated'
import { refetchFresh } from '@/api/refetchFresh'
import { useJob } from '@/api/useJob'

export type Export = ReturnType<typeof useExport>

export function useExport(adapter: string) {
  const formats = useExportFormatsQuery({ adapterName: adapter }, { refetchOnMountOrArgChange: true })
  const programs = useExportProgramsQuery()
  const status = useExportStatusQuery(undefined, { refetchOnMountOrArgChange: true })
  const [send, starting] = useExportModelMutation()
  const [stop, stopping] = useStopExportMutation()
  const [reset] = useResetExportMutation()
  const now = status.data
  const { refetch } = status
  const again = useCallback(() => void refetchFresh(refetch), [refetch])
  const told = useJob(now?.job_id ?? null, again)
  const { data: started } = starting
  const awaited = started !== undefined && started.job_id !== now?.job_id && status.isFetching
  const running = awaited || (now?.is_running ?? false)
  const own = now?.adapter_name === adapter
  return {
    formats: formats.data ?? null,
    programs: programs.data ?? [],
    problem: readProblem(formats.error) ?? readProblem(status.error),
    running,
    /** The adapter that is being exported, if it is another one. */
    other: running && !awaited && !own ? (now?.adapter_name ?? null) : null,
    phase: awaited ? null : (told?.phase ?? now?.current_step ?? null),
    share: awaited ? 0 : (told?.progress ?? (now ? now.progress / 100 : null)),
    name: awaited ? started.output_name : (now?.output_name ?? null),
    failure: !running && own && now.status === 'error' ? { message: now.error ?? 'The export ended without a word.', hint: now.hint ?? null } : null,
    stopped: !running && own && now.status === 'stopped' ? (now.message ?? 'The export was stopped; nothing was written.') : null,
    result: !running && own ? (now.result ?? null) : null,
    start: async (body: ExportRequestBody) => (await send({ exportRequestBody: body })).data !== undefined,
    starting: starting.isLoading,
    refused: readProblem(starting.error),
    forgetRefusal: starting.reset,
    stop: () => void stop(),
    stopping: stopping.isLoading,
    dismiss: () => void reset(),
  }
}
