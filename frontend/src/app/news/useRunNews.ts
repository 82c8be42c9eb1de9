/** The run in the window's title; at its end a toast and, where the browser allows it, a notification. */
import { useEffect, useRef } from 'react'
import { useDispatch, useSelector } from 'react-redux'
import { useLocation, useNavigate } from 'react-router'
import { useReadSettingsQuery } from '@/api/generated'
import { bridge } from '@/lib/bridge'
import { notify } from '@/ui/feedback/notifications'
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
  const wanted = useReadSettingsQuery().data?.notifications ?? true
  const followed = useRef<string | null>(null)

  useEffect(() => {
    document.title = titleOf(run, null)
  }, [run])

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
    if (document.hidden) document.title = titleOf(run, news.message)
    if (wanted && (document.hidden || bridge())) notify(news.message, news.hint ?? '', () => (news.link ? void navigate(news.link.to) : undefined))
    if (pathname !== '/training' || document.hidden) dispatch(toastRaised(news))
  }, [run, pathname, dispatch, navigate, wanted])

  useEffect(() => {
    const seen = () => {
      if (!document.hidden) document.title = titleOf(run, null)
    }
    document.addEventListener('visibilitychange', seen)
    return () => document.removeEventListener('visibilitychange', seen)
  }, [run])
}
