/** The review on a narrow page: a bar at the bottom, and the whole card as a sheet. */
import { useState, type ReactNode } from 'react'
import type { Review } from './review'
import { ReviewBadge } from './ReviewCard'
import type { PreviewState } from './previewState'
import { duration } from '@/lib/format'
import { Button } from '@/ui/controls/Button'
import { Dialog } from '@/ui/Dialog'

type Props = {
  readonly review: Review
  readonly state: PreviewState
  readonly startable: boolean
  readonly queues: boolean
  readonly starting: boolean
  readonly onStart: () => void
  readonly card: ReactNode
}

export function ReviewBar({ review, state, startable, queues, starting, onStart, card }: Props) {
  const [open, setOpen] = useState(false)
  const seconds = state.preview?.estimated_seconds
  return (
    <div className="sticky bottom-0 z-10 -mx-4 -mb-4 flex items-center gap-2 border-t border-line bg-card px-4 py-2.5 short:py-1 md:-mx-7 md:px-7 @2xl:hidden">
      <div className="flex min-w-0 flex-1 flex-wrap items-center gap-2 text-small text-soft">
        <ReviewBadge review={review} />
        {review.kind === 'ready' && seconds != null ? <span>≈ {duration(seconds)}</span> : null}
      </div>
      <Button onClick={() => setOpen(true)}>Review</Button>
      <Button kind="primary" disabled={!startable} busy={starting && (queues ? 'Adding…' : 'Starting…')} onClick={onStart}>
        {queues ? 'Add to queue' : 'Start Training'}
      </Button>
      <Dialog open={open} title="Review" sheet onClose={() => setOpen(false)}>
        <div className="[&>section]:border-0 [&>section]:p-0">{card}</div>
      </Dialog>
    </div>
  )
}
