/** One finished run: final numbers, curves, configuration, log. */
import { skipToken } from '@reduxjs/toolkit/query'
import { ArrowLeft } from 'lucide-react'
import { useMemo } from 'react'
import { Link, useParams } from 'react-router'
import { readProblem } from '@/api/errors'
import { useReadSessionQuery, useSessionMetricsQuery } from '@/api/generated'
import { configGroups } from '@/run/reducer/runConfig'
import { runKind } from '@/run/series/runKind'
import { RunSeries } from '@/run/series/series'
import { Card } from '@/ui/Card'
import { ConfigGrid } from '@/run/view/ConfigGrid'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { samplePrompts } from '@/run/view/promptAnswers'
import { RunCharts } from '@/run/charts/RunCharts'
import { Skeleton } from '@/ui/feedback/Skeleton'
import { readSession, metric } from './record'
import { SessionFigures } from './SessionFigures'
import { SessionHeader } from './SessionHeader'
import { SessionHealth } from './SessionHealth'
import { SessionLog } from './SessionLog'
import { SessionNotes } from './SessionNotes'
import { SessionOutcome } from './SessionOutcome'
import { SessionSamples } from './SessionSamples'

export function SessionPage() {
  const { id } = useParams()
  const { data, error } = useReadSessionQuery(id === undefined ? skipToken : { sessionId: id })
  const problem = readProblem(error)
  return (
    <>
      <Link to="/results" className="mb-2 inline-flex items-center gap-1 rounded-small text-small text-soft hover:text-ink">
        <ArrowLeft className="size-3.5" aria-hidden="true" />
        Results
      </Link>
      {problem ? <ErrorPanel message={problem.detail} hint={problem.hint} /> : null}
      {!problem && !data ? <Skeleton className="h-96 rounded-card" /> : null}
      {!problem && data && id !== undefined ? <Session id={id} record={data} /> : null}
    </>
  )
}

type Props = { readonly id: string; readonly record: { readonly [key: string]: unknown } }

function Session({ id, record }: Props) {
  const session = useMemo(() => readSession(record, id), [record, id])
  const { data, error } = useSessionMetricsQuery({ sessionId: id, maxPoints: 200_000 })
  const series = useMemo(() => RunSeries.from(data?.series ?? {}), [data])
  const kind = runKind(session.method, series)
  const problem = readProblem(error)
  return (
    <>
      <SessionHeader session={session} />
      <div className="flex flex-col gap-3">
        <SessionOutcome session={session} />
        <SessionFigures session={session} kind={kind} />
        {problem ? (
          <ErrorPanel message={problem.detail} hint={problem.hint} />
        ) : (
          <RunCharts
            series={series}
            kind={kind}
            end={series.train.last('step') ?? metric(session, 'current_step')}
            name={session.name}
            waiting={data ? 'No curve was recorded for this run.' : 'Reading the curves…'}
          />
        )}
        <SessionHealth session={session} />
        <SessionSamples id={id} prompts={samplePrompts(session.config)} byRewards={kind === 'reward'} />
        <SessionNotes key={id} session={session} />
        <SessionLog id={id} name={session.name} />
        <Card title="Configuration" subtitle="As sent; values that differ from the defaults are bold.">
          <ConfigGrid groups={configGroups(session.config)} />
        </Card>
      </div>
    </>
  )
}
