/** Whether the command palette or the sheet of shortcuts is open: Cmd-K (Ctrl-K elsewhere) opens and closes the one anywhere, "?" opens the other. */
import { useEffect, useState } from 'react'
import { isMac } from '@/lib/bridge'

export type Palette = {
  readonly open: boolean
  readonly show: () => void
  readonly hide: () => void
  readonly sheet: boolean
  readonly showSheet: () => void
  readonly hideSheet: () => void
}

export function usePalette(): Palette {
  const [open, setOpen] = useState(false)
  const [sheet, setSheet] = useState(false)
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === '?' && !isTyping(event.target) && !document.querySelector('dialog[open]')) return setSheet(true)
      const command = isMac() ? event.metaKey : event.ctrlKey
      if (!command || event.shiftKey || event.altKey || event.key.toLowerCase() !== 'k') return
      event.preventDefault() // Ctrl-K goes to the address bar in some browsers.
      setOpen((now) => !now)
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [])
  return {
    open,
    show: () => setOpen(true),
    hide: () => setOpen(false),
    sheet,
    showSheet: () => {
      setOpen(false)
      setSheet(true)
    },
    hideSheet: () => setSheet(false),
  }
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
}

export function paletteKeys(): string {
  return isMac() ? '⌘K' : 'Ctrl K'
}
