/** A large file takes minutes: how far it is, and a way to stop. */
import { Button } from '@/ui/Button'
import { Card } from '@/ui/Card'
import { ProgressBar } from '@/ui/ProgressBar'
import { Skeleton } from '@/ui/Skeleton'
import type { Examination } from './useExamination'

const WORDS: Readonly<Record<string, string>> = {
  waiting: 'Waiting for another file',
  reading: 'Reading every line',
  measuring: 'Measuring rows in tokens',
}

export function ExaminationProgress({ examination }: { readonly examination: Examination }) {
  const { phase, share, canCancel, cancelled, cancel, again } = examination
  if (cancelled) {
    return (
      <Card>
        <div className="flex flex-wrap items-center justify-between gap-3">
          <p className="text-soft">Stopped before the file was read.</p>
          <Button onClick={() => void again()}>Look again</Button>
        </div>
      </Card>
    )
  }
  if (!canCancel) {
    return (
      <Card bodyClassName="flex flex-col gap-3">
        <span role="status" className="sr-only">
          Looking into the file…
        </span>
        <Skeleton className="h-5 w-64" />
        <Skeleton className="h-36" />
      </Card>
    )
  }
  const words = WORDS[phase ?? ''] ?? 'Looking into the file'
  const percent = share === null ? null : Math.round(share * 100)
  return (
    <Card>
      <div className="mb-2 flex flex-wrap items-center justify-between gap-3">
        <p role="status">
          <span className="font-medium">{words}…</span> {percent === null ? '' : `${percent} %`}
        </p>
        <Button size="small" onClick={cancel}>
          Stop
        </Button>
      </div>
      <ProgressBar label={words} value={share} />
    </Card>
  )
}
