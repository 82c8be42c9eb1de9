/** The evaluation that is running or was last: asked once, followed over the event stream. */
import { useCallback } from 'react'
import { readProblem } from '@/api/errors'
import {
  useCompareEvaluationMutation,
  useEvaluationStatusQuery,
  useListEvaluationsQuery,
  useStopEvaluationMutation,
  type EvaluationStart,
} from '@/api/generated'
import { refetchFresh } from '@/api/refetchFresh'
import { useJob } from '@/api/useJob'

export type Evaluation = ReturnType<typeof useEvaluation>

export function useEvaluation() {
  const status = useEvaluationStatusQuery(undefined, { refetchOnMountOrArgChange: true })
  const list = useListEvaluationsQuery(undefined, { refetchOnMountOrArgChange: true })
  const [send, starting] = useCompareEvaluationMutation()
  const [cancel, stopping] = useStopEvaluationMutation()
  const id = status.data?.evaluation_id ?? null
  const { refetch: again } = status
  const { refetch: relist } = list
  const refresh = useCallback(() => {
    void refetchFresh(again)
    void refetchFresh(relist)
  }, [again, relist])
  const told = useJob(id, refresh)

  const running = told?.over === true ? false : (status.data?.running ?? false)
  return {
    id,
    running,
    state: told?.state ?? status.data?.state ?? null,
    phase: told?.phase ?? status.data?.phase ?? null,
    share: told?.progress ?? (status.data ? status.data.progress / 100 : null),
    adapter: status.data?.adapter_name ?? null,
    questions: status.data?.total_questions ?? null,
    failure: running ? null : failureOf(told?.error ?? status.data?.error, told?.hint ?? status.data?.hint),
    past: list.data?.evaluations ?? [],
    damaged: list.data?.damaged ?? [],
    /** Why it was refused, by field too. */
    refused: readProblem(starting.error),
    starting: starting.isLoading,
    start: async (body: EvaluationStart) => (await send({ evaluationStart: body })).data?.evaluation_id ?? null,
    stop: () => void cancel(),
    stopping: stopping.isLoading,
  }
}

function failureOf(error: string | null | undefined, hint: string | null | undefined) {
  return error ? { detail: error, hint: hint ?? null } : null
}
