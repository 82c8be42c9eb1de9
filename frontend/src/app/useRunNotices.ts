/** A run outside the page: its progress on the desktop, and its end for whoever works in another window. */
import { useEffect, useRef } from 'react'
import { useSelector } from 'react-redux'
import { useReadSettingsQuery } from '@/api/generated'
import { loss } from '@/lib/format'
import { notify } from '@/lib/notifications'
import { isLive, type RunView } from '@/run/reducer/runReducer'
import { bridge } from '@/lib/bridge'
import { progressOf, selectRun } from '@/run/reducer/runSlice'

export function useRunNotices(): void {
  const run = useSelector(selectRun)
  const wanted = useReadSettingsQuery().data?.notifications ?? false
  const before = useRef<string | null>(null)
  useEffect(() => {
    const was = before.current
    before.current = isLive(run.state) ? run.sessionId : null
    const ended = was !== null && was === run.sessionId && !isLive(run.state)
    if (ended && wanted && !document.hasFocus()) notify(...wordsOf(run))
  }, [run, wanted])
}

/** The desktop window shows it, and keeps the machine awake for it where that is wanted. */
export function useShownRun(): void {
  const run = useSelector(selectRun)
  const awake = useReadSettingsQuery().data?.keep_awake ?? true
  const live = isLive(run.state)
  const { fraction } = progressOf(run)
  const percent = fraction === null ? null : Math.floor(fraction * 100)
  useEffect(() => {
    const shown = live ? { fraction: percent === null ? null : percent / 100, awake } : null
    void bridge()?.showRun(shown)
  }, [live, percent, awake])
}

const TITLES: Partial<Record<string, string>> = {
  completed: 'Training is complete',
  stopped: 'Training was stopped',
  error: 'Training failed',
  interrupted: 'Training was interrupted',
}

/** Title and text: which adapter, and how it went. */
export function wordsOf({ state, config, metrics, error }: RunView): [string, string] {
  const name = typeof config?.['adapter_name'] === 'string' ? config['adapter_name'] : 'The run'
  const best = metrics.best_val_loss == null ? '' : `, best validation loss ${loss(metrics.best_val_loss)}`
  return [TITLES[state] ?? 'Training has ended', state === 'error' && error ? `${name}: ${error.message}` : `${name}${best}`]
}
