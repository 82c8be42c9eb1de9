/** Menu items of the desktop window that move between pages. The rest belongs to the pages. */
import { useEffect } from 'react'
import { useNavigate } from 'react-router'
import { bridge } from '@/lib/bridge'

export function useMenu(): void {
  const navigate = useNavigate()
  useEffect(
    () =>
      bridge()?.onMenu((command) => {
        if (typeof command === 'object') void navigate('page' in command ? `/${command.page}` : `/results/${command.session}`)
        // The page that acts on these may not be open yet; it hears the command by its address.
        if (command === 'open-training-data') void navigate('/setup')
      }),
    [navigate],
  )
}
