/** A large file takes minutes: how far it is, and a way to stop. */
import type { ReactNode } from 'react'
import type { Examination } from './useExamination'
import { Button } from '@/ui/controls/Button'
import { ProgressBar } from '@/ui/feedback/ProgressBar'

const WORDS: Readonly<Record<string, string>> = {
  waiting: 'Waiting for another file',
  reading: 'Reading every line',
  measuring: 'Measuring rows in tokens',
}

type Props = {
  readonly examination: Pick<Examination, 'phase' | 'share' | 'canCancel' | 'cancelled' | 'cancel' | 'again'>
  /** Stands here until it is known whether the file is a large one. */
  readonly waiting: ReactNode
}

export function ExaminationProgress({ examination, waiting }: Props) {
  const { phase, share, canCancel, cancelled, cancel, again } = examination
  if (cancelled) {
    return (
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p className="text-soft">Stopped before the file was read.</p>
        <Button size="small" onClick={() => void again()}>
          Inspect again
        </Button>
      </div>
    )
  }
  if (!canCancel) {
    return (
      <>
        <span role="status" className="sr-only">
          Inspecting the file…
        </span>
        {waiting}
      </>
    )
  }
  const words = WORDS[phase ?? ''] ?? 'Inspecting the file'
  const percent = share === null ? null : Math.round(share * 100)
  return (
    <div>
      <div className="mb-2 flex flex-wrap items-center justify-between gap-3">
        <p role="status">
          <span className="font-medium">{words}…</span> {percent === null ? '' : `${percent} %`}
        </p>
        <Button size="small" onClick={cancel}>
          Stop
        </Button>
      </div>
      <ProgressBar label={words} value={share} />
    </div>
  )
}
