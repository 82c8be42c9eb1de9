/** Stop by the desktop menu, the palette or the keyboard (Cmd-. or Ctrl-.) asks the same question as the button. */
import { useEffect, useEffectEvent } from 'react'
import { isMac } from '@/lib/bridge'
import { onCommand } from '@/lib/commands'

export function useStopCommand(enabled: boolean, onStop: () => void): void {
  const stop = useEffectEvent(() => {
    if (enabled) onStop()
  })
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== '.' || !(isMac() ? event.metaKey : event.ctrlKey) || document.querySelector('dialog[open]')) return
      event.preventDefault()
      stop()
    }
    document.addEventListener('keydown', onKey)
    const end = onCommand('stop-training', () => stop())
    return () => {
      document.removeEventListener('keydown', onKey)
      end()
    }
  }, [])
}

export function stopKeys(): string {
  return isMac() ? '⌘.' : 'Ctrl .'
}
