/** docs/distributed.md, as the checkout has it: the page works without the internet. */
import { use, Suspense } from 'react'
import { Button } from '@/ui/controls/Button'
import { Dialog } from '@/ui/Dialog'
import { MarkdownText } from '@/ui/MarkdownText'

type Props = { readonly open: boolean; readonly onClose: () => void }

export function RanksGuide({ open, onClose }: Props) {
  return (
    <Dialog
      open={open}
      title="Several processes"
      size="wide"
      onClose={onClose}
      footer={
        <Button kind="primary" onClick={onClose}>
          Done
        </Button>
      }
    >
      <Suspense fallback={<p className="text-small text-soft">Loading…</p>}><Guide /></Suspense>
    </Dialog>
  )
}

let guide: Promise<string> | null = null

/** Fetched when it is first asked for. */
function loaded(): Promise<string> {
  guide ??= import('../../../../docs/distributed.md?raw').then((module) => module.default)
  return guide
}

function Guide() {
  const text = use(loaded())
  return (
    // Long texts scroll by keyboard too.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div tabIndex={0} className="max-h-[60dvh] overflow-auto text-small text-soft">
      <MarkdownText text={text} />
    </div>
  )
}
