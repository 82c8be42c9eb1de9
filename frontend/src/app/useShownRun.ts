/** The run on the desktop: its progress, and the machine kept awake for it where that is wanted. */
import { useEffect } from 'react'
import { useSelector } from 'react-redux'
import { useReadSettingsQuery } from '@/api/generated'
import { bridge } from '@/lib/bridge'
import { progressOf, selectIsLive, selectRun } from '@/run/reducer/runSlice'

export function useShownRun(): void {
  const run = useSelector(selectRun)
  const live = useSelector(selectIsLive)
  const awake = useReadSettingsQuery().data?.keep_awake ?? true
  const { fraction } = progressOf(run)
  const percent = fraction === null ? null : Math.floor(fraction * 100)
  useEffect(() => {
    const shown = live ? { fraction: percent === null ? null : percent / 100, awake } : null
    void bridge()?.showRun(shown)
  }, [live, percent, awake])
}
