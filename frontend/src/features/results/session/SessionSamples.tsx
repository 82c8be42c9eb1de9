/** What the model wrote while it was trained: to the run's own prompts, and the last completions of rows. */
import { skipToken } from '@reduxjs/toolkit/query'
import { readProblem } from '@/api/errors'
import { useSessionSamplesQuery } from '@/api/generated'
import { AnswerTimeline } from '@/run/view/AnswerTimeline'
import { ofRows, promptAnswers } from '@/run/view/promptAnswers'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { SampleList } from '@/run/view/SampleList'

type Props = { readonly id: string; readonly prompts: readonly string[]; readonly byRewards: boolean }

export function SessionSamples({ id, prompts, byRewards }: Props) {
  const asks = prompts.length > 0 || byRewards
  const { data, error } = useSessionSamplesQuery(asks ? { sessionId: id } : skipToken)
  const problem = readProblem(error)
  if (!asks) return null
  if (problem) return <ErrorPanel message={problem.detail} hint={problem.hint} />
  const samples = data?.samples ?? []
  const waiting = data ? 'This run saved no samples.' : 'Reading the samples…'
  return (
    <>
      {prompts.length > 0 ? <AnswerTimeline answers={promptAnswers(samples, prompts)} waiting={waiting} /> : null}
      {byRewards ? <SampleList samples={ofRows(samples)} waiting={waiting} /> : null}
    </>
  )
}
