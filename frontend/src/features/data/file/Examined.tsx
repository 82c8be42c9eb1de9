/** What the examination of a file says, as far as it has come. */
import { useRef } from 'react'
import { ExaminationProgress } from '@/start/data/examination/ExaminationProgress'
import type { Examination } from '@/start/data/examination/useExamination'
import { Button } from '@/ui/controls/Button'
import { Card } from '@/ui/Card'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { Skeleton } from '@/ui/feedback/Skeleton'
import { FindingsCard } from './FindingsCard'
import { FirstRows } from '@/features/data/rows/FirstRows'
import { LengthsCard, limitOf } from './LengthsCard'
import { RowCard, type Place } from '@/features/data/rows/RowCard'

type Props = {
  readonly path: string
  readonly model: string | null
  readonly examination: Examination
  readonly limit: string
  readonly place: Place
  readonly onLimit: (text: string) => void
  readonly onPlace: (place: Place) => void
}

export function Examined({ path, model, examination, limit, place, onLimit, onPlace }: Props) {
  const row = useRef<HTMLDivElement>(null)
  const { found, busy, problem } = examination
  const goToLine = (line: number) => {
    onPlace({ by: 'line', number: line })
    row.current?.scrollIntoView({ block: 'start' })
  }
  if (problem) {
    return (
      <ErrorPanel
        message={problem.detail}
        hint={problem.hint}
        action={
          <Button size="small" onClick={() => void examination.again()}>
            Inspect again
          </Button>
        }
      />
    )
  }
  const progress = (
    <Card>
      <ExaminationProgress examination={examination} waiting={<Waiting />} />
    </Card>
  )
  if (!found) return progress
  return (
    <>
      {busy && examination.canCancel ? progress : null}
      <div className="grid grid-cols-1 items-start gap-4 xl:grid-cols-2">
        <FindingsCard found={found} onLine={goToLine} />
        <LengthsCard
          lengths={found.lengths ?? null}
          busy={busy}
          nothing={(found.good_rows ?? 0) === 0}
          limit={limit}
          onLimit={onLimit}
        />
      </div>
      <div ref={row} className="scroll-mt-4 empty:hidden">
        {model !== null && (found.good_rows ?? 0) > 0 ? (
          <RowCard
            path={path}
            model={model}
            rows={found.rows}
            limit={limitOf(limit)}
            place={place}
            onPlace={onPlace}
          />
        ) : null}
      </div>
      <FirstRows found={found} />
    </>
  )
}

function Waiting() {
  return (
    <div className="flex flex-col gap-3">
      <Skeleton className="h-5 w-64" />
      <Skeleton className="h-36" />
    </div>
  )
}
