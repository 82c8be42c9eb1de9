/** Enter sends, Shift+Enter begins a line; an input method's Enter only ends its word. */
import type { KeyboardEvent } from 'react'

export function onSendKey(event: KeyboardEvent, send: () => void): void {
  if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
  event.preventDefault()
  send()
}
