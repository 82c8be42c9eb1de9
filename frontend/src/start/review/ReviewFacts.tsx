/** Time, memory, steps, checkpoints: the numbers of the run to come. */
import type { ReactNode } from 'react'
import type { MemoryEstimate, Preview } from '@/api/generated'
import type { StartForm } from '@/start/fields/useStartForm'
import { cx } from '@/lib/cx'
import { bytes, compact, count, duration, gigabytes, plural, UNKNOWN } from '@/lib/format'
import { Meter } from '@/ui/feedback/Meter'

type Props = { readonly form: StartForm; readonly preview: Preview | null; readonly stale: boolean }

export function ReviewFacts({ form, preview, stale }: Props) {
  const { values } = form
  return (
    <dl className={cx('text-body transition-opacity', stale && preview && 'opacity-60')}>
      <Fact name="Time">{preview?.estimated_seconds == null ? UNKNOWN : `≈ ${duration(preview.estimated_seconds)}`}</Fact>
      <Fact name="Memory" below={<MemoryBar memory={preview?.memory ?? null} />}>
        {memoryText(preview?.memory ?? null)}
      </Fact>
      <Fact name="Length">{preview ? `${count(preview.iterations)} it · ${compact(preview.epochs, 2)} epochs` : UNKNOWN}</Fact>
      <Fact name="Rows">{preview ? `${count(preview.data.rows)} + ${count(preview.data.valid_rows)} held out` : UNKNOWN}</Fact>
      <Fact name="Checkpoints">{checkpointText(preview)}</Fact>
      <Fact name="Early stop">{values.early_stop ? plural(Number(values.patience) || 0, 'evaluation') : 'off'}</Fact>
      <Fact name="Adapter">
        <span className="font-mono text-small break-all">{String(values.adapter_name) || UNKNOWN}</span>
      </Fact>
    </dl>
  )
}

type FactProps = { readonly name: string; readonly below?: ReactNode; readonly children: ReactNode }

function Fact({ name, below, children }: FactProps) {
  return (
    <div className="grid grid-cols-[auto_minmax(0,1fr)] items-baseline gap-x-3 border-b border-line py-1.5 last:border-0">
      <dt className="text-soft">{name}</dt>
      <dd className="text-right text-ink">{children}</dd>
      {below ? <dd className="col-span-2">{below}</dd> : null}
    </div>
  )
}

function memoryText(memory: MemoryEstimate | null): string {
  if (!memory) return UNKNOWN
  const need = gigabytes(memory.estimate_gb)
  return memory.available_gb === null ? need : `${need} of ${gigabytes(memory.available_gb)}`
}

const PART_COLOURS = ['bg-group-attention', 'bg-group-mlp', 'bg-group-moe', 'bg-group-linear', 'bg-group-other']

function MemoryBar({ memory }: { readonly memory: MemoryEstimate | null }) {
  if (!memory) return <span className="mt-1.5 block h-1.5 rounded-full bg-track" />
  const parts = Object.entries(memory.parts).map(([name, value], at) => ({
    label: `${name.replaceAll('_', ' ')} ${gigabytes(value)}`,
    value,
    className: PART_COLOURS[at % PART_COLOURS.length] ?? '',
  }))
  const text = `${memoryText(memory)}: ${parts.map((part) => part.label).join(', ')}`
  return <Meter label="Memory by part" text={text} max={memory.available_gb ?? 0} parts={parts} className="mt-1.5 mb-0.5" />
}

function checkpointText(preview: Preview | null): string {
  if (!preview) return UNKNOWN
  const { checkpoints_kept: kept, checkpoint_bytes: size } = preview
  if (kept === 0) return size === null ? 'best and latest' : `best and latest, ${bytes(size)} each`
  return size === null ? count(kept) : `${count(kept)} × ${bytes(size)}`
}
