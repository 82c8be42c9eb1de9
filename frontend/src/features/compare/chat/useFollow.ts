/** Keeps the end of what is being written in view, unless the reader has scrolled away from it. */
import { useEffect, useLayoutEffect, useRef } from 'react'

const NEAR = 160

export function useFollow(growing: object | null) {
  const end = useRef<HTMLDivElement>(null)
  const follows = useRef(true)
  const active = growing !== null
  useLayoutEffect(() => {
    if (active) follows.current = true
  }, [active])
  useEffect(() => {
    const page = end.current?.closest('main')
    if (!page) return
    const look = () => {
      follows.current = page.scrollHeight - page.scrollTop - page.clientHeight < NEAR
    }
    page.addEventListener('scroll', look, { passive: true })
    return () => page.removeEventListener('scroll', look)
  }, [])
  useLayoutEffect(() => {
    const page = end.current?.closest('main')
    if (growing && page && follows.current) page.scrollTop = page.scrollHeight
  }, [growing])
  return end
}
