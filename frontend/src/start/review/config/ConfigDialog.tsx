/** The run as the engine gets it: YAML and the same command for a terminal. */
import type { Preview } from '@/api/generated'
import { Button } from '@/ui/controls/Button'
import { CopyButton } from '@/ui/controls/CopyButton'
import { Dialog } from '@/ui/Dialog'

type Props = {
  readonly preview: Preview | null
  readonly open: boolean
  readonly onClose: () => void
  readonly onSave: () => void
}

export function ConfigDialog({ preview, open, onClose, onSave }: Props) {
  return (
    <Dialog
      open={open && preview !== null}
      title="Configuration"
      size="wide"
      onClose={onClose}
      footer={
        <>
          <Button onClick={onSave}>Save settings (JSON)…</Button>
          <Button kind="primary" onClick={onClose}>
            Done
          </Button>
        </>
      }
    >
      <Listing title="YAML" text={preview?.config_yaml ?? ''} />
      <Listing title="Command" text={preview?.command ?? ''} />
    </Dialog>
  )
}

function Listing({ title, text }: { readonly title: string; readonly text: string }) {
  return (
    <section className="mb-4 last:mb-0" aria-label={title}>
      <div className="mb-1.5 flex items-center justify-between">
        <h3 className="text-small font-medium text-soft">{title}</h3>
        <CopyButton text={text} />
      </div>
      {/* Long listings scroll by keyboard too. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre tabIndex={0} className="max-h-[45dvh] overflow-auto rounded-field border border-line bg-sunken p-3 font-mono text-small whitespace-pre-wrap text-ink">
        {text}
      </pre>
    </section>
  )
}
