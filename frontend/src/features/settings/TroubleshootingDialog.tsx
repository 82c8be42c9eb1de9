/** The errors that users meet, each with its cause and what to do, and what each page is for. */
import { useEffect, useState } from 'react'
import { Dialog } from '@/ui/Dialog'
import { MarkdownText } from '@/ui/MarkdownText'

let guide: Promise<string> | null = null

/** docs/troubleshooting.md, as the checkout has it: fetched when it is first asked for. */
function loaded(): Promise<string> {
  guide ??= import('../../../../docs/troubleshooting.md?raw').then((module) => module.default)
  return guide
}

export function TroubleshootingDialog({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog open size="wide" title="Troubleshooting" onClose={onClose}>
      <Guide />
    </Dialog>
  )
}

function Guide() {
  const [text, setText] = useState<string | null>(null)
  useEffect(() => {
    let open = true
    void loaded().then((markdown) => (open ? setText(markdown) : undefined))
    return () => {
      open = false
    }
  }, [])
  if (text === null) return <p className="text-small text-soft">Loading…</p>
  return (
    // Long texts scroll by keyboard too.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div tabIndex={0} className="text-small text-soft">
      <MarkdownText text={text.replace(/^# .*\n/, '')} />
    </div>
  )
}
