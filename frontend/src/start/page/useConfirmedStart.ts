/** A press of Start: asked about first where the server wants a confirmation, and added to the queue while a run lives. */
import { useState } from 'react'
import type { Problem } from '@/api/errors'
import type { StartForm } from '@/start/fields/useStartForm'
import type { PreviewState } from '@/start/review/previewState'
import { fixOf, offersQueue, type Fix, type Review } from '@/start/review/review'
import type { StartRequest } from './startKinds'
import { useStartKey } from './useStartKey'

type Options = {
  readonly form: StartForm<StartRequest>
  readonly review: Review
  readonly state: PreviewState
  readonly live: boolean
  readonly starting: boolean
  readonly problem: Problem | null
  readonly start: (request: StartRequest, how: { readonly queue: boolean }) => Promise<void>
}

export type ConfirmedStart = ReturnType<typeof useConfirmedStart>

export function useConfirmedStart({ form, review, state, live, starting, problem, start }: Options) {
  const [confirming, setConfirming] = useState(false)
  const startable = review.kind === 'ready' && !starting
  // The server may know of a run that this page has not heard of yet: then a press offers the queue.
  const queues = live || offersQueue(problem)
  const doubt = state.preview?.needs_confirmation ?? null
  const remark = state.preview?.remarks?.find((each) => each.message === doubt)
  const send = (confirmed: boolean) => {
    if (form.request) void start({ ...form.request, confirm_high_scale: confirmed }, { queue: queues })
  }
  const press = () => {
    if (!startable) return
    if (doubt) setConfirming(true)
    else send(false)
  }
  useStartKey(press)
  return {
    startable,
    queues,
    press,
    doubt: confirming ? doubt : null,
    remedy: remark ? fixOf(form, remark) : null,
    cancel: () => setConfirming(false),
    fix: (fix: Fix) => {
      setConfirming(false)
      form.set(fix.name, fix.draft)
    },
    // For this start only: the next one is asked about again.
    confirm: () => {
      setConfirming(false)
      send(true)
    },
  }
}
