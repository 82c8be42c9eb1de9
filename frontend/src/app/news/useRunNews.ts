/** The run in the window's title; at its end a toast and, where the browser allows it, a notification. */
import { useEffect, useRef, useState } from 'react'
import { useDispatch, useSelector } from 'react-redux'
import { useLocation, useNavigate } from 'react-router'
import { bridge } from '@/lib/bridge'
import { isLive } from '@/run/reducer/runReducer'
import { selectConnection, selectRun } from '@/run/reducer/runSlice'
import { causeEnded, toastRaised } from '@/ui/feedback/toastSlice'
import { endOf, titleOf } from './runEnd'

export function useRunNews(): void {
  const run = useSelector(selectRun)
  const connection = useSelector(selectConnection)
  const { pathname } = useLocation()
  const dispatch = useDispatch()
  const navigate = useNavigate()
  const followed = useRef<string | null>(null)
  const [ended, setEnded] = useState<string | null>(null)

  useEffect(() => {
    document.title = titleOf(run, ended)
  }, [run, ended])

  useEffect(() => {
    if (connection === 'connected') dispatch(causeEnded('server'))
  }, [connection, dispatch])

  useEffect(() => {
    if (isLive(run.state)) {
      followed.current = run.sessionId
      return
    }
    // Only the end of a run that this window saw live: not that of an old one that a snapshot tells of.
    if (followed.current === null || followed.current !== run.sessionId) return
    const news = endOf(run)
    if (!news) return
    followed.current = null
    dispatch(causeEnded('run'))
    if (document.hidden) setEnded(news.message)
    if (document.hidden) notify(news.message, news.hint ?? '', () => (news.link ? void navigate(news.link.to) : undefined))
    if (pathname !== '/training' || document.hidden) dispatch(toastRaised(news))
  }, [run, pathname, dispatch, navigate])

  useEffect(() => {
    const seen = () => {
      if (!document.hidden) setEnded(null)
    }
    document.addEventListener('visibilitychange', seen)
    return () => document.removeEventListener('visibilitychange', seen)
  }, [])
}

/** The desktop window has its own. */
function notify(title: string, body: string, onClick: () => void): void {
  if (bridge() || !('Notification' in globalThis) || Notification.permission !== 'granted') return
  const shown = new Notification(title, { body })
  shown.onclick = () => {
    globalThis.focus()
    onClick()
  }
}
