/** The comparisons before a place in the history: behind a button, page after page to the oldest. */
import { useState } from 'react'
import { readProblem } from '@/api/errors'
import { useListComparisonsQuery, type Comparison } from '@/api/generated'
import { Button } from '@/ui/controls/Button'
import { RetryPanel } from '@/ui/feedback/RetryPanel'
import { HistoryItem } from './HistoryItem'

const PAGE = 100

type Props = { readonly cursor: string; readonly onUse: (prompt: string) => void }

export function HistoryOlder({ cursor, onUse }: Props) {
  const [open, setOpen] = useState(false)
  if (open) return <OpenPage cursor={cursor} onUse={onUse} />
  return (
    <div className="mt-3 text-center">
      <Button size="small" onClick={() => setOpen(true)}>
        Show older
      </Button>
    </div>
  )
}

function OpenPage({ cursor, onUse }: Props) {
  // `data` stays while a newer comparison moves the cursor, so nothing jumps.
  const { data, error, refetch } = useListComparisonsQuery({ limit: PAGE, cursor })
  const problem = readProblem(error)
  if (problem) {
    return (
      <RetryPanel problem={problem} onRetry={() => void refetch()} />
    )
  }
  if (!data) return <p className="mt-3 text-center text-soft">Loading…</p>
  return (
    <>
      <HistoryList comparisons={data.comparisons} onUse={onUse} />
      {data.next_cursor === null ? null : <HistoryOlder cursor={data.next_cursor} onUse={onUse} />}
    </>
  )
}

type ListProps = { readonly comparisons: readonly Comparison[]; readonly onUse: (prompt: string) => void }

export function HistoryList({ comparisons, onUse }: ListProps) {
  return (
    <ul className="flex flex-col">
      {comparisons.map((each) => (
        <HistoryItem key={each.id} comparison={each} onUse={onUse} />
      ))}
    </ul>
  )
}
