/** Find in the desktop menu (Cmd-F): the page's own search where it has one, else the command palette. */
import { useEffect, useRef } from 'react'
import { bridge } from '@/lib/bridge'

export function useFind(showPalette: () => void): void {
  const otherwise = useRef(showPalette)
  useEffect(() => {
    otherwise.current = showPalette
  })
  useEffect(
    () =>
      bridge()?.onMenu((command) => {
        if (command !== 'find') return
        const search = document.querySelector<HTMLInputElement>('main input[type="search"]')
        if (!search) return otherwise.current()
        search.focus()
        search.select()
      }),
    [],
  )
}
