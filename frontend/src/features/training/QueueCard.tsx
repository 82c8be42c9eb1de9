/** The runs that wait, in order: move one up or down, or take it out. Not there when none waits. */
import { ArrowDown, ArrowUp, X } from 'lucide-react'
import { useRef, useState } from 'react'
import { useDispatch, useSelector } from 'react-redux'
import { readProblem } from '@/api/errors'
import type { QueuedRun } from '@/api/frames'
import { useMoveQueuedRunMutation, useRemoveQueuedRunMutation } from '@/api/generated'
import { selectQueue } from '@/run/reducer/runSlice'
import { count, moment, plural } from '@/lib/format'
import { Badge } from '@/ui/Badge'
import { Card } from '@/ui/Card'
import { IconButton } from '@/ui/controls/IconButton'
import { toastRaised } from '@/ui/feedback/toastSlice'

export function QueueCard() {
  const queue = useSelector(selectQueue)
  const list = useRef<HTMLOListElement>(null)
  const { move, remove, busy, said } = useQueueActions()
  if (queue.length === 0) return null
  const onRemove = async (run: QueuedRun) => {
    await remove(run)
    list.current?.focus() // The pressed button is gone; the keyboard stays here.
  }
  return (
    <Card title="Queue" subtitle={`${plural(queue.length, 'run')} waiting. The next one starts when the machine is free.`}>
      <p className="sr-only" role="status">
        {said}
      </p>
      <ol ref={list} tabIndex={-1} aria-label="Waiting runs" className="flex flex-col divide-y divide-line outline-none">
        {queue.map((run, index) => (
          <QueueRow
            key={run.session_id}
            run={run}
            place={index + 1}
            last={index === queue.length - 1}
            busy={busy}
            onMove={(place) => void move(run, place)}
            onRemove={() => void onRemove(run)}
          />
        ))}
      </ol>
    </Card>
  )
}

type RowProps = {
  readonly run: QueuedRun
  /** From 1. */
  readonly place: number
  readonly last: boolean
  readonly busy: boolean
  readonly onMove: (place: number) => void
  readonly onRemove: () => void
}

function QueueRow({ run, place, last, busy, onMove, onRemove }: RowProps) {
  const { adapter_name: name } = run
  return (
    <li className="flex items-center gap-3 py-2 first:pt-0 last:pb-0">
      <span className="w-5 shrink-0 text-right text-soft tabular-nums">{place}</span>
      <div className="min-w-0 flex-1">
        <p className="flex min-w-0 items-center gap-2">
          <span className="truncate font-medium text-ink">{name}</span>
          <Badge tone="accent">{run.method.toUpperCase()}</Badge>
        </p>
        <p className="truncate text-small text-soft">
          {run.model_name} · {count(run.total_steps)} iterations · added {moment(run.queued_at)}
        </p>
      </div>
      <div className="flex shrink-0 gap-1">
        <Step icon={ArrowUp} label={`Move ${name} up`} off={busy || place === 1} onPress={() => onMove(place - 1)} />
        <Step icon={ArrowDown} label={`Move ${name} down`} off={busy || last} onPress={() => onMove(place + 1)} />
        <Step icon={X} label={`Remove ${name} from the queue`} off={busy} onPress={onRemove} />
      </div>
    </li>
  )
}

type StepProps = {
  readonly icon: typeof X
  readonly label: string
  readonly off: boolean
  readonly onPress: () => void
}

/** Told to be off rather than disabled, so that the keyboard's focus stays on it at the end of the list. */
function Step({ icon, label, off, onPress }: StepProps) {
  return (
    <IconButton
      icon={icon}
      label={label}
      aria-disabled={off}
      className="aria-disabled:opacity-40"
      onClick={off ? undefined : onPress}
    />
  )
}

function useQueueActions() {
  const dispatch = useDispatch()
  const [patch, { isLoading: moving }] = useMoveQueuedRunMutation()
  const [drop, { isLoading: removing }] = useRemoveQueuedRunMutation()
  const [said, setSaid] = useState('')
  const tell = (error: unknown, done: string) => {
    const problem = readProblem(error)
    if (problem) dispatch(toastRaised({ level: 'error', message: problem.detail, hint: problem.hint }))
    else setSaid(done)
  }
  const move = async ({ session_id: sessionId, adapter_name: name }: QueuedRun, position: number) => {
    const { error } = await patch({ sessionId, queuePlace: { position } })
    tell(error, `${name} is now number ${position}.`)
  }
  const remove = async ({ session_id: sessionId, adapter_name: name }: QueuedRun) => {
    const { error } = await drop({ sessionId })
    tell(error, `${name} was removed from the queue.`)
  }
  return { move, remove, busy: moving || removing, said }
}
