/** Convert and delete, in a row of the list. */
import { PackageOpen, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useDeleteModelMutation, type ModelInfo } from '@/api/generated'
import { bytes } from '@/lib/format'
import { IconButton } from '@/ui/controls/IconButton'
import { DeleteDialog } from '@/features/models/DeleteDialog'
import { fixedReason, keptReason } from './modelFacts'

type Props = { readonly model: ModelInfo; readonly onConvert: (model: ModelInfo) => void }

export function ModelActions({ model, onConvert }: Props) {
  const [asking, setAsking] = useState(false)
  const [remove, { isLoading, error, reset }] = useDeleteModelMutation()
  const kept = keptReason(model)
  const fixed = fixedReason(model)
  const close = () => {
    setAsking(false)
    reset()
  }
  return (
    <span className="inline-flex shrink-0 items-center">
      <IconButton icon={PackageOpen} label={fixed ?? `Convert or quantise ${model.name}…`} disabled={fixed !== null} onClick={() => onConvert(model)} />
      <IconButton icon={Trash2} label={kept ?? `Delete ${model.name}…`} disabled={kept !== null} onClick={() => setAsking(true)} />
      {asking ? (
        <DeleteDialog
          name={model.name}
          deleting={isLoading}
          error={error}
          onDelete={async () => (await remove({ name: model.name })).error === undefined}
          onClose={close}
        >
          {`Deletes its folder and everything in it (${bytes(model.size_bytes)}). Adapters trained on it stay, but need it to answer. This can’t be undone.`}
        </DeleteDialog>
      ) : null}
    </span>
  )
}
