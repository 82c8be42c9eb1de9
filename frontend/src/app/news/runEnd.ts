/** What is said of a run in the window's title and at its end. Pure. */
import { adapterName } from '@/run/reducer/runConfig'
import type { RunView } from '@/run/reducer/runReducer'
import { isLive } from '@/run/reducer/runReducer'
import { progressOf } from '@/run/reducer/runSlice'
import { bestWords } from '@/run/series/best'
import type { Toast } from '@/ui/feedback/toastSlice'

const APP = 'Droid FineTuning'

/** "63 % · support_full · Droid FineTuning" while it runs; the app's name alone otherwise. */
export function titleOf(run: RunView, ended: string | null): string {
  if (!isLive(run.state)) return ended === null ? APP : `${ended} · ${APP}`
  const { fraction } = progressOf(run)
  const word = run.state === 'paused' ? 'Paused' : run.state === 'stopping' ? 'Stopping' : null
  const share = fraction === null ? 'Starting' : `${Math.floor(fraction * 100)} %`
  return [word ?? share, nameOf(run), APP].join(' · ')
}

/** How it ended, and the next step; null for a run that goes on. */
export function endOf(run: RunView): Omit<Toast, 'id'> | null {
  const name = nameOf(run)
  const best = run.best ? `best ${bestWords(run.best.metric, run.best.value)}` : null
  const saved = run.adapterPath ?? run.best?.path
  const compare = { label: 'Compare with base', to: `/compare?adapter=${encodeURIComponent(name)}` }
  const look = { label: 'Show the run', to: '/training' }
  switch (run.state) {
    case 'completed':
      return { level: 'good', message: [`${name} finished`, best].filter(Boolean).join(' · '), link: saved ? compare : look }
    case 'stopped':
      return { level: 'info', message: [`${name} was stopped`, best].filter(Boolean).join(' · '), link: saved ? compare : look }
    case 'error':
    case 'interrupted':
      return { level: 'error', message: `${name} ${run.state === 'error' ? 'failed' : 'was interrupted'}`, hint: run.error?.message ?? null, link: look }
    default:
      return null
  }
}

function nameOf(run: RunView): string {
  return adapterName(run.config) ?? 'Training'
}
