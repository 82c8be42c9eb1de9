/** Text from the clipboard into a text box, wherever the page runs. */
import { bridge } from '@/lib/bridge'

/** `refused`: the browser keeps the clipboard to itself, so only the user's own keys can paste. */
export type Pasted = 'pasted' | 'empty' | 'refused'

/** The box has the focus afterwards, whatever came of it. */
export async function pasteInto(box: HTMLTextAreaElement): Promise<Pasted> {
  const text = await clipboardText()
  box.focus()
  if (text === null) return 'refused'
  if (text === '') return 'empty'
  insert(box, text)
  return 'pasted'
}

async function clipboardText(): Promise<string | null> {
  try {
    const desktop = bridge()
    if (desktop) return await desktop.readClipboard()
    // Not there on a page that is not from this machine and not over HTTPS.
    return globalThis.navigator.clipboard ? await globalThis.navigator.clipboard.readText() : null
  } catch {
    return null
  }
}

function insert(box: HTMLTextAreaElement, text: string): void {
  // Deprecated, but the only way that can be undone with Cmd/Ctrl-Z.
  if (document.execCommand?.('insertText', false, text)) return
  box.setRangeText(text, box.selectionStart, box.selectionEnd, 'end')
  box.dispatchEvent(new Event('input', { bubbles: true }))
}
