/** Any number of runs side by side; its address can be sent to others. */
import { skipToken } from '@reduxjs/toolkit/query'
import { ArrowLeft, Download } from 'lucide-react'
import { Link, useSearchParams } from 'react-router'
import { readProblem } from '@/api/errors'
import { useCompareSessionsQuery } from '@/api/generated'
import { saveFile } from '@/lib/download'
import { Button } from '@/ui/controls/Button'
import { Card } from '@/ui/Card'
import { CopyButton } from '@/ui/controls/CopyButton'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { Notice } from '@/ui/feedback/Notice'
import { PageHeader } from '@/ui/PageHeader'
import { Segmented } from '@/ui/controls/Segmented'
import { Skeleton } from '@/ui/feedback/Skeleton'
import { ComparedChart } from './ComparedChart'
import { ComparedTable } from './ComparedTable'
import type { Axis } from './runCurves'
import { comparisonMarkdown, differenceRows, resultRows } from './runTable'

const AXES: readonly { readonly value: Axis; readonly label: string }[] = [
  { value: 'step', label: 'Iterations' },
  { value: 'tokens', label: 'Tokens' },
  { value: 'seconds', label: 'Time' },
]

export function CompareRunsPage() {
  const [params, setParams] = useSearchParams()
  const ids = params.get('ids') ?? ''
  const x = AXES.find(({ value }) => value === params.get('x'))?.value ?? 'step'
  const { data, error } = useCompareSessionsQuery(ids === '' ? skipToken : { ids, x }, { refetchOnMountOrArgChange: true })
  const problem = readProblem(error)
  const shown = problem ? undefined : data
  const differences = shown ? differenceRows(shown) : []
  return (
    <>
      <Link to="/results" className="mb-2 inline-flex items-center gap-1 rounded-small text-small text-soft hover:text-ink">
        <ArrowLeft className="size-3.5" aria-hidden="true" />
        Results
      </Link>
      <PageHeader title="Compare runs" subtitle={shown ? `${shown.runs.length} runs` : ''}>
        <Segmented label="Horizontal axis" value={x} choices={AXES} onChoose={(axis) => setParams({ ids, x: axis }, { replace: true })} />
        <CopyButton text={window.location.href} label="Copy link" />
        <Button disabled={!shown} onClick={() => shown && saveFile('compared-runs.md', comparisonMarkdown(shown), 'text/markdown')}>
          <Download className="size-3.5" aria-hidden="true" />
          Markdown
        </Button>
      </PageHeader>
      {ids === '' ? <ErrorPanel message="No runs are named in this address." hint="Choose two or more runs in Results." /> : null}
      {problem ? <ErrorPanel message={problem.detail} hint={problem.hint} /> : null}
      {ids !== '' && !problem && !shown ? <Skeleton className="h-96 rounded-card" /> : null}
      {shown ? (
        <div className="flex flex-col gap-3">
          <Notice tone={shown.held_out.same === false ? 'warn' : 'info'}>{shown.held_out.message}</Notice>
          <ComparedChart comparison={shown} />
          <Card title="Results">
            <ComparedTable caption="Results of the runs" runs={shown.runs} rows={resultRows(shown)} />
          </Card>
          <Card title="Settings that differ" subtitle="Settings that are the same in all runs are left out.">
            {differences.length > 0 ? (
              <ComparedTable caption="Settings that differ" runs={shown.runs} rows={differences} mono />
            ) : (
              <p className="text-soft">The settings of these runs are the same.</p>
            )}
          </Card>
        </div>
      ) : null}
    </>
  )
}
