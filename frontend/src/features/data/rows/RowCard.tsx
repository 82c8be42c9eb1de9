/** Any row of the file as the model sees it: its tokens, and which of them are learned. */
import { ChevronLeft, ChevronRight } from 'lucide-react'
import { useState } from 'react'
import { readProblem } from '@/api/errors'
import { usePreviewDatasetQuery, type DatasetPreview } from '@/api/generated'
import { recallForm } from '@/start/fields/formMemory'
import { SETUP } from '@/start/page/setupSpec'
import { count, percent } from '@/lib/format'
import { parseNumber } from '@/lib/numbers'
import { useDebounced } from '@/lib/useDebounced'
import { Badge } from '@/ui/Badge'
import { Card } from '@/ui/Card'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { IconButton } from '@/ui/controls/IconButton'
import { NumberInput } from '@/ui/controls/NumberInput'
import { Segmented } from '@/ui/controls/Segmented'
import { Skeleton } from '@/ui/feedback/Skeleton'
import { Switch } from '@/ui/controls/Switch'
import { TokenLegend, TokenText } from './TokenText'

/** A row by its number, or by the line it is in. */
export type Place = { readonly by: 'row' | 'line'; readonly number: number }

type Props = {
  readonly path: string
  readonly model: string
  readonly rows: number
  readonly limit: number | null
  readonly place: Place
  readonly onPlace: (place: Place) => void
}

type View = 'text' | 'tokens'
const SETTLE_MS = 250

export function RowCard({ path, model, rows, limit, place, onPlace }: Props) {
  // As the run would have it.
  const [mask, setMask] = useState(() => recallForm(SETUP).edits.mask_prompt === true)
  const [view, setView] = useState<View>('text')
  const [draft, setDraft] = useState<string | null>(null)
  const settled = useDebounced(place, SETTLE_MS)
  const answer = usePreviewDatasetQuery({
    previewRequest: {
      path,
      model,
      mask_prompt: mask,
      max_seq_length: limit,
      ...(settled.by === 'line' ? { line: settled.number } : { row: settled.number }),
    },
  })
  const { data: shown, error, isFetching, refetch } = answer
  const problem = isFetching ? null : readProblem(error)
  const current = problem === null && shown?.path.startsWith(path.replace(/train\.jsonl$/, '')) ? shown : null
  const row = current && !isFetching ? current.row : place.number
  const go = (number: number) => {
    setDraft(null)
    onPlace({ by: 'row', number: Math.max(1, number) })
  }
  return (
    <Card
      title="Row as the model sees it"
      subtitle={current ? <RowFacts shown={current} /> : 'Text, tokens, and which of them are learned'}
      actions={
        <Segmented
          label="View"
          value={view}
          choices={[
            { value: 'text', label: 'Text' },
            { value: 'tokens', label: 'Tokens' },
          ]}
          onChoose={setView}
        />
      }
    >
      <div className="mb-3 flex flex-wrap items-center justify-between gap-x-6 gap-y-2">
        <div className="flex items-center gap-1">
          <IconButton icon={ChevronLeft} label="Previous row" disabled={row <= 1} onClick={() => go(row - 1)} />
          <label className="flex items-center gap-2 text-small text-soft">
            Row
            <NumberInput
              className="w-20"
              value={draft ?? String(row)}
              step={1}
              min={1}
              onText={(text) => {
                setDraft(text)
                const number = parseNumber(text)
                if (number !== null && Number.isInteger(number) && number >= 1) onPlace({ by: 'row', number })
              }}
              onBlur={() => setDraft(null)}
            />
            of {count(rows)}
          </label>
          <IconButton icon={ChevronRight} label="Next row" disabled={current?.last === true} onClick={() => go(row + 1)} />
        </div>
        <Switch label="Train on answers only" checked={mask} onChange={setMask} />
      </div>
      {problem ? (
        <ErrorPanel message={problem.detail} hint={problem.hint} action={<RetryLine onRetry={() => void refetch()} />} />
      ) : current ? (
        <div aria-busy={isFetching} className={isFetching ? 'opacity-60' : ''}>
          <TokenText tokens={current.tokens} apart={view === 'tokens'} />
          {current.total_tokens > current.tokens.length ? (
            <p className="mt-1.5 text-small text-soft">
              The first {count(current.tokens.length)} of {count(current.total_tokens)} tokens are shown.
            </p>
          ) : null}
          <div className="mt-2.5 flex flex-col gap-1.5">
            <TokenLegend />
            {current.notes.map((note) => (
              <p key={note} className="text-small text-soft">
                {note}
              </p>
            ))}
            {current.pad_trained ? (
              <p className="text-small text-faint">The engine’s loss also counts one padding token after the last one.</p>
            ) : null}
          </div>
        </div>
      ) : (
        <Skeleton className="h-40" />
      )}
    </Card>
  )
}

function RetryLine({ onRetry }: { readonly onRetry: () => void }) {
  return (
    <button type="button" className="rounded-small font-medium underline-offset-2 hover:underline" onClick={onRetry}>
      Try again
    </button>
  )
}

function RowFacts({ shown }: { readonly shown: DatasetPreview }) {
  const share = (100 * shown.trained_tokens) / Math.max(shown.total_tokens, 1)
  return (
    <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
      <span>
        Line {count(shown.line)} · {count(shown.total_tokens)} tokens · {count(shown.trained_tokens)} learned ({percent(share, 0)})
      </span>
      {shown.cut_tokens > 0 ? <Badge tone="warn">{count(shown.cut_tokens)} cut off</Badge> : null}
      {shown.trained_tokens === 0 ? <Badge tone="bad">nothing learned</Badge> : null}
    </span>
  )
}
