/** One adapter: what it is, where it comes from, and what can be done with it. */
import { Pencil, Trash2 } from 'lucide-react'
import { useState, type ReactNode } from 'react'
import { useDispatch } from 'react-redux'
import { Link } from 'react-router'
import { api, useDeleteAdapterMutation, type AdapterInfo } from '@/api/generated'
import { methodName } from '@/run/reducer/runConfig'
import { bestWords, metricWords } from '@/run/series/best'
import { baseName, bytes, count, moment, plural } from '@/lib/format'
import { Badge } from '@/ui/Badge'
import { CopyButton } from '@/ui/controls/CopyButton'
import { IconButton } from '@/ui/controls/IconButton'
import { DeleteDialog } from '@/features/models/DeleteDialog'
import { EditDialog } from './EditDialog'

export function AdapterRow({ adapter }: { readonly adapter: AdapterInfo }) {
  return (
    <li className="flex flex-col gap-x-4 gap-y-1.5 py-2.5 first:pt-0 last:pb-0 lg:flex-row lg:items-start">
      <div className="flex min-w-0 flex-1 flex-col gap-1">
        <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <span title={adapter.path} className="min-w-0 font-medium break-words">
            {adapter.name}
          </span>
          {kindOf(adapter) ? <Badge>{kindOf(adapter)}</Badge> : null}
          {adapter.is_peft ? <Badge>PEFT</Badge> : null}
          {adapter.problem == null ? null : <Badge tone="bad">Not usable</Badge>}
          {adapter.tags.map((tag) => (
            <Badge key={tag} tone="accent">
              {tag}
            </Badge>
          ))}
        </div>
        <p className="text-small text-soft tabular-nums">{factsOf(adapter).join(' · ')}</p>
        <Lineage adapter={adapter} />
        {adapter.problem == null ? null : <p className="text-small break-words text-bad">{adapter.problem}</p>}
        {adapter.warnings.map((warning) => (
          <p key={warning} className="text-small break-words text-warn">
            {warning}
          </p>
        ))}
      </div>
      <div className="flex shrink-0 flex-wrap items-center gap-x-2 gap-y-1">
        {adapter.problem == null ? <AdapterLinks adapter={adapter} /> : null}
        <span className="ml-auto inline-flex">
          <AdapterTools adapter={adapter} />
        </span>
      </div>
    </li>
  )
}

function AdapterLinks({ adapter }: { readonly adapter: AdapterInfo }) {
  const name = encodeURIComponent(adapter.name)
  const link = 'rounded-small font-medium text-accent underline-offset-2 hover:underline'
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-small">
      <Link to={`/fusion?adapters=${name}`} className={link}>
        Fuse with…
      </Link>
      <Link to={`/fusion?export=${name}`} className={link}>
        Export…
      </Link>
      {adapter.command ? <CopyButton text={adapter.command} label="Copy command" /> : null}
    </div>
  )
}

function AdapterTools({ adapter }: { readonly adapter: AdapterInfo }) {
  const [open, setOpen] = useState<'edit' | 'delete' | null>(null)
  const dispatch = useDispatch()
  const [remove, { isLoading, error, reset }] = useDeleteAdapterMutation()
  const close = () => {
    setOpen(null)
    reset()
  }
  const run = async () => {
    const gone = (await remove({ name: adapter.name })).error === undefined
    if (gone) dispatch(api.util.invalidateTags(['inference']))
    return gone
  }
  return (
    <>
      <IconButton icon={Pencil} label={`Rename or tag ${adapter.name}…`} onClick={() => setOpen('edit')} />
      <IconButton icon={Trash2} label={`Delete ${adapter.name}…`} onClick={() => setOpen('delete')} />
      {open === 'edit' ? <EditDialog adapter={adapter} onClose={() => setOpen(null)} /> : null}
      {open === 'delete' ? (
        <DeleteDialog name={adapter.name} deleting={isLoading} error={error} onDelete={run} onClose={close}>
          {`Deletes its weights and checkpoints (${bytes(adapter.size_bytes)}). Its run stays in Results. This can’t be undone.`}
        </DeleteDialog>
      ) : null}
    </>
  )
}

function Lineage({ adapter }: { readonly adapter: AdapterInfo }) {
  const { session_id: session, train_data: data, base_fingerprint: fingerprint } = adapter
  const parts: ReactNode[] = []
  if (session)
    parts.push(
      <Link key="run" to={`/results/${encodeURIComponent(session)}`} className="rounded-small underline underline-offset-2 hover:text-ink">
        {adapter.session_name ?? 'Its run'}
      </Link>,
    )
  if (data) parts.push(<span key="data" title={data.path}>{`${baseName(data.path)}${data.rows == null ? '' : `, ${plural(data.rows, 'row')}`}`}</span>)
  if (fingerprint)
    parts.push(
      <span key="base" title={`The base as it was trained on: ${fingerprint}`}>
        base <code className="font-mono text-tiny">{fingerprint.slice(0, 8)}</code>
      </span>,
    )
  if (parts.length === 0) return null
  return (
    <p className="flex flex-wrap gap-x-1.5 text-small text-soft">
      From
      {parts.map((part, at) => (
        <span key={at} className="break-all">
          {part}
          {at < parts.length - 1 ? ' ·' : ''}
        </span>
      ))}
    </p>
  )
}

function kindOf({ type, lora_rank: rank }: AdapterInfo): string | null {
  if (type === 'full') return 'full fine-tune'
  if (type === null) return null
  const name = type === 'dora' ? 'DoRA' : type === 'lora' ? 'LoRA' : type
  return rank === null ? name : `${name} · rank ${rank}`
}

function factsOf(adapter: AdapterInfo): readonly string[] {
  const { best, checkpoints } = adapter
  return [
    bytes(adapter.size_bytes),
    adapter.method === null ? null : methodName(adapter.method),
    adapter.num_layers === null ? null : plural(adapter.num_layers, 'layer'),
    checkpoints.length > 0 ? checkpointWords(checkpoints, best?.step ?? null) : null,
    best ? `best ${metricWords(best.metric)} ${bestWords(best.metric, best.value)} at iteration ${count(best.step)}` : adapter.has_best ? 'best saved' : null,
    adapter.created === null ? null : moment(adapter.created),
  ].filter((fact) => fact !== null)
}

const MOST_NAMED = 8

/** Every step that can be chosen, the best one marked: "2 checkpoints: 100, 200 (best)". */
function checkpointWords(steps: readonly number[], best: number | null): string {
  const named = steps.map((step) => `${count(step)}${step === best ? ' (best)' : ''}`)
  const shown = named.length > MOST_NAMED ? ['…', ...named.slice(-MOST_NAMED)] : named
  return `${plural(steps.length, 'checkpoint')}: ${shown.join(', ')}`
}
