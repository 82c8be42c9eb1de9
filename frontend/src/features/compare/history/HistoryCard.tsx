/** What was asked before, kept by the server: look again, ask again, rate, take out, export. */
import { Download, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useDispatch } from 'react-redux'
import { readProblem } from '@/api/errors'
import {
  useForgetComparisonMutation,
  useForgetComparisonsMutation,
  useLazyListComparisonsQuery,
  useListComparisonsQuery,
  type Comparison,
} from '@/api/generated'
import { plural } from '@/lib/format'
import { Button } from '@/ui/controls/Button'
import { Card } from '@/ui/Card'
import { DamagedItems } from '@/ui/DamagedItems'
import { RetryPanel } from '@/ui/feedback/RetryPanel'
import { Skeleton } from '@/ui/feedback/Skeleton'
import { toastRaised } from '@/ui/feedback/toastSlice'
import { historyJson, historyMarkdown, saveText } from './exporting'
import { HistoryList, HistoryOlder } from './HistoryOlder'
import { useDeleted } from './useDeleted'

const FIRST = 20
/** As many as the server gives at once. */
const AT_ONCE = 500

export function HistoryCard({ onUse }: { readonly onUse: (prompt: string) => void }) {
  const { data, error, refetch } = useListComparisonsQuery({ limit: FIRST })
  const [forget] = useForgetComparisonMutation()
  const found = data?.comparisons
  const problem = readProblem(error)
  return (
    <Card
      title="History"
      subtitle={found && found.length > 0 ? 'Saved on this computer, newest first.' : undefined}
      actions={found && found.length > 0 ? <HistoryActions /> : null}
    >
      {problem ? (
        <RetryPanel problem={problem} onRetry={() => void refetch()} />
      ) : null}
      {!problem && !found ? <Skeleton className="h-16" /> : null}
      {found?.length === 0 ? <p className="py-4 text-center text-soft">Questions and answers are saved here.</p> : null}
      <DamagedItems
        items={data?.damaged}
        title="A comparison can’t be read"
        actionOf={({ name }) => (
          <Button size="small" onClick={() => void forget({ comparisonId: name })}>
            Delete it
          </Button>
        )}
      />
      {found ? <HistoryList comparisons={found} onUse={onUse} /> : null}
      {data?.next_cursor == null ? null : <HistoryOlder cursor={data.next_cursor} onUse={onUse} />}
    </Card>
  )
}

function HistoryActions() {
  const [forget, { isLoading }] = useForgetComparisonsMutation()
  const deleted = useDeleted()
  const dispatch = useDispatch()
  const deleteAll = async () => {
    const { data, error } = await forget()
    const problem = readProblem(error)
    if (problem) dispatch(toastRaised({ level: 'error', message: problem.detail, hint: problem.hint }))
    if (data) deleted(`Deleted ${plural(data.deleted, 'comparison')}.`, data.undo)
  }
  return (
    <>
      <ExportButtons />
      <Button size="small" kind="ghost" busy={isLoading && 'Deleting…'} onClick={() => void deleteAll()}>
        <Trash2 className="size-3.5" aria-hidden="true" />
        Delete all
      </Button>
    </>
  )
}

function ExportButtons() {
  const [read, { isFetching }] = useLazyListComparisonsQuery()
  const [refused, setRefused] = useState<string | null>(null)
  const save = async (kind: 'json' | 'md') => {
    const all: Comparison[] = []
    let cursor: string | null = null
    do {
      const { data, error }: Awaited<ReturnType<typeof read>> = await read({ limit: AT_ONCE, ...(cursor ? { cursor } : {}) })
      setRefused(readProblem(error)?.detail ?? null)
      if (!data) return
      all.push(...data.comparisons)
      cursor = data.next_cursor
    } while (cursor !== null)
    const text = kind === 'json' ? historyJson(all) : historyMarkdown(all)
    await saveText(`comparisons.${kind}`, text, kind === 'json' ? 'application/json' : 'text/markdown')
  }
  return (
    <>
      {refused ? <span className="text-small text-bad">{refused}</span> : null}
      {(['json', 'md'] as const).map((kind) => (
        <Button key={kind} size="small" kind="ghost" disabled={isFetching} onClick={() => void save(kind)}>
          <Download className="size-3.5" aria-hidden="true" />
          {kind === 'json' ? 'JSON' : 'Markdown'}
        </Button>
      ))}
    </>
  )
}
