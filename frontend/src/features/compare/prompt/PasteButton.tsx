/** Pastes into the prompt; where the browser refuses that, says which keys do. */
import { ClipboardPaste } from 'lucide-react'
import { useState, type RefObject } from 'react'
import { isMac } from '@/lib/bridge'
import { Button } from '@/ui/controls/Button'
import { pasteInto, type Pasted } from './paste'

type Props = { readonly box: RefObject<HTMLTextAreaElement | null>; readonly onResult: (result: Pasted) => void }

export function PasteButton({ box, onResult }: Props) {
  const [busy, setBusy] = useState(false)
  const paste = async () => {
    if (!box.current) return
    setBusy(true)
    onResult(await pasteInto(box.current))
    setBusy(false)
  }
  return (
    <Button kind="ghost" size="small" onClick={() => void paste()} aria-disabled={busy}>
      <ClipboardPaste className="size-3.5" aria-hidden="true" />
      Paste
    </Button>
  )
}

export function pasteHint(result: Pasted | null): string | null {
  switch (result) {
    case 'refused':
      return `Clipboard blocked. Press ${isMac() ? '⌘V' : 'Ctrl+V'}.`
    case 'empty':
      return 'The clipboard has no text.'
    case 'pasted':
    case null:
      return null
  }
}
