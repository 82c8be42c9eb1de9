/** Every run there was: find one, open it, load it, delete it, or compare several. */
import { BookOpen } from 'lucide-react'
import { useState } from 'react'
import { useSelector } from 'react-redux'
import { readProblem } from '@/api/errors'
import { useListSessionsQuery } from '@/api/generated'
import { count, plural } from '@/lib/format'
import { cx } from '@/lib/cx'
import { useDebounced } from '@/lib/useDebounced'
import { selectLostAt } from '@/run/reducer/runSlice'
import { ActionLink } from '@/ui/controls/ActionLink'
import { Button } from '@/ui/controls/Button'
import { Card } from '@/ui/Card'
import { EmptyState } from '@/ui/feedback/EmptyState'
import { RetryPanel } from '@/ui/feedback/RetryPanel'
import { PageHeader } from '@/ui/PageHeader'
import { Skeleton } from '@/ui/feedback/Skeleton'
import { CompareBar } from './CompareBar'
import { ResultsFilters } from './ResultsFilters'
import { SessionList } from './SessionList'
import { listRequest, NEWEST_FIRST, NO_FILTERS, type Filters, type Sort } from './sessions'
import { SessionTable } from './SessionTable'

const PAGE = 100
const MOST = 1000
const TYPING_MS = 150

export function ResultsPage() {
  const [limit, setLimit] = useState(PAGE)
  const [filters, setFilters] = useState<Filters>(NO_FILTERS)
  const [sort, setSort] = useState<Sort>(NEWEST_FIRST)
  const [chosen, setChosen] = useState<readonly string[]>([])
  const lost = useSelector(selectLostAt) !== null
  const text = useDebounced(filters.text, TYPING_MS)
  const { data, error, isFetching, refetch } = useListSessionsQuery(listRequest({ ...filters, text }, sort, limit))
  const problem = readProblem(error)
  const choose = (id: string) => setChosen((ids) => (ids.includes(id) ? ids.filter((one) => one !== id) : [...ids, id]))

  if (problem && !data) {
    return (
      <>
        <PageHeader title="Results" />
        <RetryPanel problem={problem} retrying={isFetching} onRetry={() => void refetch()} />
      </>
    )
  }
  if (!data) return <Waiting />
  if (data.total === 0) return <NoSessions />
  const { sessions } = data
  return (
    <>
      <PageHeader title="Results" subtitle={shownWords(data.matching, data.total)}>
        <ResultsFilters
          filters={filters}
          choices={data.choices}
          onChange={(part) => {
            setFilters({ ...filters, ...part })
            setLimit(PAGE)
          }}
        />
      </PageHeader>
      <CompareBar chosen={chosen} onClear={() => setChosen([])} />
      {sessions.length === 0 ? (
        <Card>
          <p className="py-8 text-center text-soft">
            No matching sessions{' '}
            <Button size="small" kind="ghost" onClick={() => setFilters(NO_FILTERS)}>
              Show all
            </Button>
          </p>
        </Card>
      ) : (
        // The last list stays while the server is not heard, and says so by its look.
        <div className={cx('transition-opacity', lost && 'opacity-60')}>
          <SessionTable sessions={sessions} sort={sort} onSort={setSort} chosen={chosen} onChoose={choose} className="hidden md:block" />
          <SessionList sessions={sessions} chosen={chosen} onChoose={choose} className="md:hidden" />
        </div>
      )}
      {data.next_cursor === null ? null : (
        <div className="mt-4 text-center">
          {limit < MOST ? (
            <Button onClick={() => setLimit(limit === PAGE ? 3 * PAGE : MOST)} busy={isFetching && 'Loading…'}>
              Show more
            </Button>
          ) : (
            <p className="text-small text-soft">The first {count(MOST)} of {count(data.matching)} are shown. Search or filter to see others.</p>
          )}
        </div>
      )}
    </>
  )
}

function shownWords(shown: number, all: number): string {
  return shown === all ? plural(all, 'session') : `${count(shown)} of ${plural(all, 'session')}`
}

function NoSessions() {
  return (
    <>
      <PageHeader title="Results" />
      <EmptyState
        icon={BookOpen}
        title="No runs yet"
        action={
          <ActionLink to="/setup" primary>
            Set up a run
          </ActionLink>
        }
      >
        Each run saves its metrics, curves, configuration, log and adapter here, to compare with the next one.
      </EmptyState>
    </>
  )
}

function Waiting() {
  return (
    <div aria-busy="true">
      <PageHeader title="Results" subtitle="Reading the sessions…" />
      <Card bodyClassName="flex flex-col gap-3">
        {['a', 'b', 'c', 'd', 'e'].map((key) => (
          <Skeleton key={key} className="h-8" />
        ))}
      </Card>
    </div>
  )
}
