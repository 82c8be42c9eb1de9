/** How long the rows are in the model's own tokens, and what a length limit would cost. */
import { useState } from 'react'
import type { TokenLengths } from '@/api/generated'
import { compact, count, percent, plural } from '@/lib/format'
import { parseNumber } from '@/lib/numbers'
import { Card } from '@/ui/Card'
import { Field } from '@/ui/controls/Field'
import { LengthHistogram, rangeWords } from '@/start/data/examination/LengthHistogram'
import { LinkButton } from '@/ui/controls/LinkButton'
import { NumberInput } from '@/ui/controls/NumberInput'
import { Skeleton } from '@/ui/feedback/Skeleton'
import { Cell, HeadCell, Row, Table } from '@/ui/Table'

type Props = {
  readonly lengths: TokenLengths | null
  readonly busy: boolean
  /** No row of the file can be used, so none can be measured. */
  readonly nothing: boolean
  readonly limit: string
  readonly onLimit: (text: string) => void
}

export function LengthsCard({ lengths, busy, nothing, limit, onLimit }: Props) {
  const [table, setTable] = useState(false)
  const asNumber = parseNumber(limit)
  const error = limit !== '' && limitOf(limit) === null ? 'A whole number from 16 up.' : null
  return (
    <Card
      title="Token lengths"
      subtitle={subtitleOf(lengths, busy, nothing)}
      actions={
        lengths ? (
          <LinkButton className="text-small" aria-pressed={table} onClick={() => setTable(!table)}>
            {table ? 'Show as chart' : 'Show as table'}
          </LinkButton>
        ) : null
      }
    >
      {lengths === null ? (
        busy && !nothing ? (
          <Skeleton className="h-36" />
        ) : null
      ) : table ? (
        <BinTable lengths={lengths} />
      ) : (
        <LengthHistogram bins={lengths.bins} limit={asNumber} summary={summaryOf(lengths)} />
      )}
      <div className="mt-4 grid grid-cols-2 gap-x-4 gap-y-3 sm:grid-cols-[9.5rem_repeat(3,minmax(0,1fr))]">
        <Field label="Max sequence length" error={error}>
          {(control) => <NumberInput {...control} value={limit} onText={onLimit} unit="tokens" step={64} min={16} />}
        </Field>
        <Figure label="Cut" value={cutValue(lengths)} note={cutNote(lengths)} />
        <Figure label="Median" value={compactCount(lengths?.median)} note={lengths ? `95 % within ${compactCount(lengths.p95)}` : ''} />
        <Figure label="Longest" value={compactCount(lengths?.longest)} note={lengths ? `${big(lengths.total_tokens)} tokens in total` : ''} />
      </div>
    </Card>
  )
}

function subtitleOf(lengths: TokenLengths | null, busy: boolean, nothing: boolean): string {
  if (lengths) return sourceWords(lengths)
  if (nothing) return 'No row can be measured'
  return busy ? 'Measuring…' : 'Choose a tokenizer to count tokens'
}

/** A limit the server takes; null where there is none. */
export function limitOf(text: string): number | null {
  const value = parseNumber(text)
  return value !== null && Number.isInteger(value) && value >= 16 && value <= 10_000_000 ? value : null
}

function Figure({ label, value, note }: { readonly label: string; readonly value: string; readonly note: string }) {
  return (
    <dl className="min-w-0">
      <dt className="text-small text-soft">{label}</dt>
      <dd>
        <span className="block text-lead font-semibold">{value}</span>
        <span className="block text-tiny text-faint">{note}</span>
      </dd>
    </dl>
  )
}

function BinTable({ lengths }: { readonly lengths: TokenLengths }) {
  return (
    <Table caption="Rows by their length in tokens" className="max-h-56 overflow-y-auto">
      <thead>
        <Row>
          <HeadCell>Length</HeadCell>
          <HeadCell className="text-right">Rows</HeadCell>
        </Row>
      </thead>
      <tbody>
        {lengths.bins.map((bin, index) => (
          <Row key={bin.start}>
            <Cell>{rangeWords(bin, index === lengths.bins.length - 1)}</Cell>
            <Cell className="text-right">{count(bin.rows)}</Cell>
          </Row>
        ))}
      </tbody>
    </Table>
  )
}

function sourceWords({ model, measured, sampled, rows }: TokenLengths): string {
  const which = sampled
    ? `${count(measured)} of ${plural(rows, 'row')}, evenly spread (counts are estimates; a start renders every row)`
    : plural(rows, 'row')
  return `${which}, in the tokens of ${model} with its chat template`
}

function summaryOf(lengths: TokenLengths): string {
  const cut = lengths.truncated_rows ?? null
  const cutting = cut === null ? '' : ` ${count(cut)} are longer than ${count(lengths.max_seq_length)} and are cut.`
  return `${plural(lengths.rows, 'row')} from ${count(lengths.shortest)} to ${count(lengths.longest)} tokens, half of them up to ${count(lengths.median)}.${cutting}`
}

function cutValue(lengths: TokenLengths | null): string {
  const share = lengths?.truncated_share
  if (share === null || share === undefined) return '—'
  return share === 0 ? 'None' : percent(100 * share, share < 0.1 ? 1 : 0)
}

function cutNote(lengths: TokenLengths | null): string {
  if (!lengths) return ''
  if (!lengths.truncated_rows) return 'every row fits'
  return plural(lengths.truncated_rows, 'row')
}

const compactCount = (value: number | null | undefined) => count(value)

function big(value: number | null | undefined): string {
  if (value === null || value === undefined) return '—'
  if (value < 100_000) return count(value)
  return value < 1e6 ? `${Math.round(value / 1e3)}k` : value < 1e9 ? `${compact(value / 1e6)}M` : `${compact(value / 1e9)}B`
}
