/** One export: what it is, how it scored, and what can be done with it. */
import { Trash2, Upload as UploadIcon } from 'lucide-react'
import { useState } from 'react'
import { useDeleteExportMutation, type ExportInfo } from '@/api/generated'
import { DeleteDialog } from '@/features/models/DeleteDialog'
import { bytes, loss, moment } from '@/lib/format'
import { Badge } from '@/ui/Badge'
import { CopyButton } from '@/ui/controls/CopyButton'
import { IconButton } from '@/ui/controls/IconButton'
import { UploadDialog } from './UploadDialog'

type Props = { readonly item: ExportInfo; readonly hub: string; readonly busy: boolean }

export function ExportRow({ item, hub, busy }: Props) {
  const [open, setOpen] = useState<'upload' | 'delete' | null>(null)
  const [remove, { isLoading, error, reset }] = useDeleteExportMutation()
  const reason = busy ? 'Another upload is running' : (item.reason ?? null)
  const close = () => {
    setOpen(null)
    reset()
  }
  return (
    <li className="flex flex-col gap-x-4 gap-y-1.5 py-2.5 first:pt-0 last:pb-0 lg:flex-row lg:items-start">
      <div className="flex min-w-0 flex-1 flex-col gap-1">
        <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <span title={item.path} className="min-w-0 font-medium break-words">
            {item.name}
          </span>
          <Badge>{item.format}</Badge>
          {item.worse ? <Badge tone="bad">Worse than the adapter</Badge> : null}
        </div>
        <p className="text-small text-soft tabular-nums">{factsOf(item).join(' · ')}</p>
        {item.uploaded ? <p className="text-small break-all text-soft">Uploaded to {item.uploaded}</p> : null}
      </div>
      <div className="flex shrink-0 flex-wrap items-center gap-x-2 gap-y-1">
        <CopyButton text={item.path} label="Copy path" />
        <span className="ml-auto inline-flex">
          <IconButton
            icon={UploadIcon}
            label={reason === null ? `Upload ${item.name}…` : `${item.name} can’t be uploaded: ${reason}`}
            disabled={reason !== null}
            onClick={() => setOpen('upload')}
          />
          <IconButton icon={Trash2} label={`Delete ${item.name}…`} onClick={() => setOpen('delete')} />
        </span>
      </div>
      {open === 'upload' ? <UploadDialog item={item} hub={hub} onClose={close} /> : null}
      {open === 'delete' ? (
        <DeleteDialog
          name={item.name}
          deleting={isLoading}
          error={error}
          onDelete={async () => (await remove({ name: item.name })).error === undefined}
          onClose={close}
        >
          {`Deletes this export (${bytes(item.size_bytes)}). Its adapter and base stay, and what was uploaded or handed to other programs too.`}
        </DeleteDialog>
      ) : null}
    </li>
  )
}

function factsOf({ size_bytes, adapter, base, created, loss: own, adapter_loss: before }: ExportInfo): readonly string[] {
  const from = [adapter, base].filter((each) => each != null).join(' on ')
  return [
    bytes(size_bytes),
    from === '' ? null : `from ${from}`,
    own == null ? 'not scored' : `loss ${loss(own)}, adapter ${loss(before)}`,
    created == null ? null : moment(created),
  ].filter((fact) => fact !== null)
}
