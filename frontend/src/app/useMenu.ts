/** Menu items of the desktop window that move between pages. The rest belongs to the pages. */
import { useEffect } from 'react'
import { useNavigate } from 'react-router'
import { bridge } from '@/lib/bridge'

export function useMenu(): void {
  const navigate = useNavigate()
  useEffect(
    () =>
      bridge()?.onMenu((command) => {
        if (typeof command === 'object') void navigate(`/${command.page}`)
      }),
    [navigate],
  )
}
