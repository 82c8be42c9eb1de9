/** Whether the command palette is open; Cmd-K (Ctrl-K elsewhere) opens and closes it anywhere. */
import { useEffect, useState } from 'react'
import { isMac } from '@/lib/bridge'

export type Palette = { readonly open: boolean; readonly show: () => void; readonly hide: () => void }

export function usePalette(): Palette {
  const [open, setOpen] = useState(false)
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const command = isMac() ? event.metaKey : event.ctrlKey
      if (!command || event.shiftKey || event.altKey || event.key.toLowerCase() !== 'k') return
      event.preventDefault() // Ctrl-K goes to the address bar in some browsers.
      setOpen((now) => !now)
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [])
  return { open, show: () => setOpen(true), hide: () => setOpen(false) }
}

export function paletteKeys(): string {
  return isMac() ? '⌘K' : 'Ctrl K'
}
