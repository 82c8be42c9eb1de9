/** The desktop menu's Stop (Cmd-.) asks the same question as the button. */
import { useEffect, useRef } from 'react'
import { bridge } from '@/lib/bridge'

export function useStopCommand(enabled: boolean, onStop: () => void): void {
  const latest = useRef({ enabled, onStop })
  useEffect(() => {
    latest.current = { enabled, onStop }
  })
  useEffect(
    () =>
      bridge()?.onMenu((command) => {
        if (command === 'stop-training' && latest.current.enabled) latest.current.onStop()
      }),
    [],
  )
}
