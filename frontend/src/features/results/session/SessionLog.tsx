/** The run's log, newest page first; older pages on request. */
import { useMemo, useState } from 'react'
import { readProblem } from '@/api/errors'
import { useLazySessionLogsQuery, useSessionLogsQuery } from '@/api/generated'
import { LogBook } from '@/run/log/logBook'
import { Button } from '@/ui/controls/Button'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { LogPanel } from '@/run/log/LogPanel'

const PAGE = 1000

type Older = { readonly lines: readonly string[]; readonly before: number | null }

export function SessionLog({ id, name }: { readonly id: string; readonly name: string }) {
  const { data, error, isLoading } = useSessionLogsQuery({ sessionId: id, limit: PAGE })
  const [readOlder, { isFetching, error: olderError }] = useLazySessionLogsQuery()
  const [older, setOlder] = useState<Older | null>(null)
  const book = useMemo(() => LogBook.from([...(older?.lines ?? []), ...(data?.logs ?? [])]), [older, data])
  const before = older ? older.before : (data?.before ?? null)
  const problem = readProblem(error ?? olderError)

  const showOlder = async () => {
    const { data: page } = await readOlder({ sessionId: id, limit: PAGE, before })
    if (page) setOlder({ lines: [...page.logs, ...(older?.lines ?? [])], before: page.before })
  }

  return (
    <LogPanel
      book={book}
      name={name}
      live={false}
      empty={isLoading ? 'Reading the log…' : 'This run saved no log.'}
      above={
        <>
          {problem ? <ErrorPanel className="mb-2" message={problem.detail} hint={problem.hint} /> : null}
          {before === null ? null : (
            <Button size="small" kind="ghost" className="mb-1" busy={isFetching && 'Loading…'} onClick={() => void showOlder()}>
              Show older lines
            </Button>
          )}
        </>
      }
    />
  )
}
