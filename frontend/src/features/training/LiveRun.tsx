/** One run on the page, from its first phase to its outcome. */
import { useSelector } from 'react-redux'
import { configGroups, numberOf, adapterName } from '@/run/reducer/runConfig'
import type { RunStores } from '@/run/stream/runFeed'
import { isLive, type RunView } from '@/run/reducer/runReducer'
import { selectLostAt } from '@/run/reducer/runSlice'
import { cx } from '@/lib/cx'
import { count } from '@/lib/format'
import { runKind } from '@/run/series/runKind'
import { Card } from '@/ui/Card'
import { ConfigGrid } from '@/run/view/ConfigGrid'
import { LogPanel } from '@/run/log/LogPanel'
import { RunCharts } from '@/run/charts/RunCharts'
import { AnswerTimeline } from '@/run/view/AnswerTimeline'
import { ofRows, promptAnswers, samplePrompts } from '@/run/view/promptAnswers'
import { SampleList } from '@/run/view/SampleList'
import { useVersion } from '@/ui/chart/useVersion'
import { AlertList } from './AlertList'
import { FigureGrid } from './FigureGrid'
import { LostServer } from './LostServer'
import { QueueCard } from './QueueCard'
import { RunHeader } from '@/features/training/run/RunHeader'
import { RunOutcome } from '@/features/training/run/RunOutcome'
import { RunProgress } from '@/features/training/run/RunProgress'

type Props = { readonly run: RunView; readonly stores: RunStores }

export function LiveRun({ run, stores }: Props) {
  const { series, log } = stores
  useVersion(series)
  const name = adapterName(run.config) ?? 'run'
  const live = isLive(run.state)
  const stale = useSelector(selectLostAt) !== null
  const kind = runKind(run.method, series)
  const prompts = samplePrompts(run.config)
  const completions = ofRows(run.samples)
  return (
    <>
      <RunHeader run={run} />
      <LostServer live={live} />
      <div className={cx('flex flex-col gap-3 transition-opacity', stale && 'opacity-60')}>
        <RunOutcome run={run} />
        {live || run.state === 'error' ? <RunProgress run={run} /> : null}
        <FigureGrid run={run} series={series} />
        <RunCharts series={series} kind={kind} end={run.metrics.total_steps ?? null} name={name} waiting={waitingWords(run)}>
          <AlertList alerts={run.alerts} name={name} config={run.config} />
        </RunCharts>
        {prompts.length > 0 ? (
          <AnswerTimeline
            answers={promptAnswers(run.samples, prompts)}
            waiting={live ? 'The first answers come before the first iteration.' : 'The run ended before its first answer.'}
          />
        ) : null}
        {kind === 'reward' || completions.length > 0 ? (
          <SampleList samples={completions} waiting={live ? 'Samples appear with the reports.' : 'This run saved no samples.'} />
        ) : null}
        <QueueCard />
        <LogPanel book={log} name={name} live={live} />
        {run.config ? (
          <Card title="Configuration" subtitle="As sent; values that differ from the defaults are bold.">
            <ConfigGrid groups={configGroups(run.config)} />
          </Card>
        ) : null}
      </div>
    </>
  )
}

function waitingWords(run: RunView): string {
  const first = numberOf(run.config, 'steps_per_report')
  if (!isLive(run.state)) return 'The run ended before its first report.'
  return first === null ? 'The curve begins with the first report.' : `The curve begins at iteration ${count(first)}.`
}
