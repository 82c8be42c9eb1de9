/** Well-known bases and what training them needs here; one press fetches one. The list itself needs no network. */
import { Check, Download } from 'lucide-react'
import { useState } from 'react'
import { readProblem } from '@/api/errors'
import { useModelCatalogQuery, type CatalogBase, type TrainingMemory } from '@/api/generated'
import { bytes, gigabytes } from '@/lib/format'
import { Badge, type Tone } from '@/ui/Badge'
import { Button } from '@/ui/controls/Button'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { RetryPanel } from '@/ui/feedback/RetryPanel'
import { Skeleton } from '@/ui/feedback/Skeleton'
import { isLive } from './downloads'
import { millions } from './modelWords'
import type { Downloads } from './useDownloads'

type Props = { readonly downloads: Downloads }

const FEW = 5

export function BaseCatalog({ downloads }: Props) {
  const { data, error, refetch } = useModelCatalogQuery()
  const [all, setAll] = useState(false)
  const [asked, setAsked] = useState<string | null>(null)
  const problem = readProblem(error)
  if (problem) return <RetryPanel problem={problem} onRetry={() => void refetch()} />
  if (!data) return <Skeleton className="h-40" />
  const shown = all ? data.bases : data.bases.slice(0, FEW)
  const refusal = asked === null ? null : downloads.problem
  const start = (repoId: string) => {
    setAsked(repoId)
    void downloads.start(repoId, null)
  }
  return (
    <div className="flex flex-col gap-2">
      <ul aria-label="Bases for this machine" className="flex flex-col">
        {shown.map((base) => (
          <BaseRow
            key={base.repo_id}
            base={base}
            loading={downloads.all.some((info) => info.repo_id === base.repo_id && isLive(info))}
            starting={downloads.starting}
            onDownload={() => start(base.repo_id)}
          />
        ))}
      </ul>
      {refusal ? <ErrorPanel message={`${asked ?? 'It'} was not downloaded: ${refusal.detail}`} hint={refusal.hint} /> : null}
      {data.bases.length > FEW ? (
        <Button size="small" kind="ghost" className="self-start" onClick={() => setAll(!all)}>
          {all ? 'Show fewer' : `Show all ${data.bases.length}`}
        </Button>
      ) : null}
      <p className="text-tiny text-faint">
        Memory is an estimate with Setup’s defaults, from each model’s published configuration
        {data.available_gb === null ? '.' : `; a run may use ${gigabytes(data.available_gb)} here.`}
      </p>
    </div>
  )
}

type RowProps = {
  readonly base: CatalogBase
  readonly loading: boolean
  readonly starting: boolean
  readonly onDownload: () => void
}

function BaseRow({ base, loading, starting, onDownload }: RowProps) {
  const [owner, name] = base.repo_id.split('/')
  return (
    <li className="grid grid-cols-[1fr_auto] items-center gap-x-3 gap-y-1 border-b border-line py-2 last:border-0">
      <div className="min-w-0">
        <p className="flex flex-wrap items-baseline gap-x-2">
          <span className="font-medium break-all">{name}</span>
          <span className="text-small text-faint">{owner}</span>
        </p>
        <p className="text-small text-soft">{base.good_for}</p>
        <p className="mt-1 flex flex-wrap items-center gap-x-2 gap-y-1 text-small text-faint tabular-nums">
          <Fit what="4-bit LoRA" memory={base.lora_4bit} />
          <Fit what="full" memory={base.full} />
          <span>
            {millions(base.parameters)} · download {bytes(base.size_bytes)} · {base.license ?? '—'}
            {base.gated ? ' · needs a Hugging Face token' : ''}
          </span>
        </p>
      </div>
      {base.here === null ? (
        <Button size="small" disabled={starting} busy={loading && 'Downloading…'} aria-label={`Download ${base.repo_id}`} onClick={onDownload}>
          <Download className="size-3.5" aria-hidden="true" />
          Download
        </Button>
      ) : (
        <span className="flex items-center gap-1 text-small text-good" title={base.here}>
          <Check className="size-3.5" aria-hidden="true" />
          Downloaded
        </span>
      )}
    </li>
  )
}

const FITS: Readonly<Record<'ok' | 'tight' | 'too_large', readonly [string, Tone]>> = {
  ok: ['fits', 'good'],
  tight: ['tight', 'warn'],
  too_large: ['too large', 'neutral'],
}

function Fit({ what, memory }: { readonly what: string; readonly memory: TrainingMemory }) {
  const [words, tone] = memory.verdict === null ? ['', 'neutral' as const] : FITS[memory.verdict]
  return (
    <Badge tone={tone}>
      {what} {gigabytes(memory.estimate_gb)}
      {words === '' ? '' : ` · ${words}`}
    </Badge>
  )
}
