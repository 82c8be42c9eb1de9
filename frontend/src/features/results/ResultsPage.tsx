/** Every run there was: find one, open it, load it, delete it. */
import { BookOpen } from 'lucide-react'
import { useMemo, useState } from 'react'
import { readProblem } from '@/api/errors'
import { useListSessionsQuery } from '@/api/generated'
import { plural } from '@/lib/format'
import { ActionLink } from '@/ui/controls/ActionLink'
import { Button } from '@/ui/controls/Button'
import { Card } from '@/ui/Card'
import { EmptyState } from '@/ui/feedback/EmptyState'
import { RetryPanel } from '@/ui/feedback/RetryPanel'
import { PageHeader } from '@/ui/PageHeader'
import { Segmented } from '@/ui/controls/Segmented'
import { Skeleton } from '@/ui/feedback/Skeleton'
import { TextInput } from '@/ui/controls/TextInput'
import { SessionList } from './SessionList'
import { chosenSessions, NEWEST_FIRST, type Sort, type StateFilter } from './sessions'
import { SessionTable } from './SessionTable'

const PAGE = 200
const MOST = 1000

export function ResultsPage() {
  const [limit, setLimit] = useState(PAGE)
  const { data, error, isLoading, isFetching, refetch } = useListSessionsQuery({ limit })
  const [text, setText] = useState('')
  const [state, setState] = useState<StateFilter>('all')
  const [sort, setSort] = useState<Sort>(NEWEST_FIRST)
  const sessions = data?.sessions
  const shown = useMemo(() => chosenSessions(sessions ?? [], text, state, sort), [sessions, text, state, sort])
  const problem = readProblem(error)

  if (problem && !sessions) {
    return (
      <>
        <PageHeader title="Results" />
        <RetryPanel problem={problem} retrying={isFetching} onRetry={() => void refetch()} />
      </>
    )
  }
  if (isLoading || !sessions) return <Waiting />
  if (sessions.length === 0) return <NoSessions />
  return (
    <>
      <PageHeader title="Results" subtitle={shownWords(shown.length, sessions.length)}>
        <TextInput
          type="search"
          value={text}
          onText={setText}
          placeholder="Name, model, method, tag"
          aria-label="Filter the sessions"
          className="w-56"
        />
        <Segmented
          label="State"
          value={state}
          choices={[
            { value: 'all', label: 'All' },
            { value: 'completed', label: 'Completed' },
            { value: 'stopped', label: 'Stopped' },
            { value: 'failed', label: 'Failed' },
          ]}
          onChoose={setState}
        />
      </PageHeader>
      {shown.length === 0 ? (
        <Card>
          <p className="py-8 text-center text-soft">
            No matching sessions{' '}
            <Button
              size="small"
              kind="ghost"
              onClick={() => {
                setText('')
                setState('all')
              }}
            >
              Show all
            </Button>
          </p>
        </Card>
      ) : (
        <>
          <SessionTable sessions={shown} sort={sort} onSort={setSort} className="hidden md:block" />
          <SessionList sessions={shown} className="md:hidden" />
        </>
      )}
      {data.next_cursor !== null && limit < MOST ? (
        <div className="mt-4 text-center">
          <Button onClick={() => setLimit(MOST)} busy={isFetching && 'Loading…'}>
            Show older sessions
          </Button>
        </div>
      ) : null}
    </>
  )
}

function shownWords(shown: number, all: number): string {
  return shown === all ? plural(all, 'session') : `${shown} of ${plural(all, 'session')}`
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
