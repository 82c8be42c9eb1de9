/** The last completions that the run made while it trained. */
import { readProblem } from '@/api/errors'
import { useSessionSamplesQuery } from '@/api/generated'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { SampleList } from '@/run/view/SampleList'

export function SessionSamples({ id }: { readonly id: string }) {
  const { data, error } = useSessionSamplesQuery({ sessionId: id })
  const problem = readProblem(error)
  if (problem) return <ErrorPanel message={problem.detail} hint={problem.hint} />
  return <SampleList samples={data?.samples ?? []} waiting={data ? 'This run saved no samples.' : 'Reading the samples…'} />
}
