/** Cmd/Ctrl+Enter on the keyboard, and Start Training in the desktop menu and the palette. */
import { useEffect, useEffectEvent } from 'react'
import { onCommand } from '@/lib/commands'

export function useStartKey(start: () => void): void {
  const onStart = useEffectEvent(start)
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 'Enter' || !(event.metaKey || event.ctrlKey) || event.repeat) return
      // A dialog in front of the page has its own Enter.
      if (document.querySelector('dialog[open]')) return
      event.preventDefault()
      onStart()
    }
    document.addEventListener('keydown', onKey)
    const end = onCommand('start-training', () => onStart())
    return () => {
      document.removeEventListener('keydown', onKey)
      end()
    }
  }, [])
}
