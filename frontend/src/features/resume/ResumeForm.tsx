/** The choices of a resume, what the server says against them, and the button. */
import { useId, useState, type FormEvent } from 'react'
import { useDispatch, useSelector } from 'react-redux'
import { useNavigate } from 'react-router'
import { readProblem, type Problem } from '@/api/errors'
import { useResumeSessionMutation, type ResumePoint } from '@/api/generated'
import { selectIsLive } from '@/run/reducer/runSlice'
import { Button } from '@/ui/controls/Button'
import { Dialog } from '@/ui/Dialog'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { Field } from '@/ui/controls/Field'
import { Notice } from '@/ui/feedback/Notice'
import { NumberInput } from '@/ui/controls/NumberInput'
import { Select } from '@/ui/controls/Select'
import { Switch } from '@/ui/controls/Switch'
import { TextInput } from '@/ui/controls/TextInput'
import { toastRaised } from '@/ui/feedback/toastSlice'
import { pointOptions, readLength, suggestedTotal } from './resume'

type Props = {
  readonly title: string
  readonly sessionId: string
  /** Oldest first, and at least one. */
  readonly points: readonly ResumePoint[]
  readonly asked: number | null
  readonly onClose: () => void
}

export function ResumeForm({ title, sessionId, points, asked, onClose }: Props) {
  const form = useId()
  const live = useSelector(selectIsLive)
  const navigate = useNavigate()
  const dispatch = useDispatch()
  const [checkpoint, setCheckpoint] = useState<number | null>(null)
  const [typed, setTyped] = useState<string | null>(null)
  const [adapter, setAdapter] = useState('')
  const [overwrite, setOverwrite] = useState(false)
  const [resume, { isLoading, error, reset }] = useResumeSessionMutation()

  const point = points.find((each) => each.checkpoint === checkpoint) ?? points.at(-1)
  const done = point?.step ?? 0
  const text = typed ?? suggestedTotal(asked, done)
  const length = readLength(text, done)
  const problem = readProblem(error)
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (length.kind !== 'total' || !point || isLoading) return
    const name = adapter.trim()
    const body = {
      checkpoint: point.checkpoint,
      iterations: length.total,
      ...(name === '' ? {} : { adapter_name: name }),
      ...(overwrite ? { overwrite } : {}),
      ...(live ? { queue: true } : {}),
    }
    const answer = await resume({ sessionId, body })
    if (!answer.data) return
    onClose()
    if (answer.data.status === 'queued') dispatch(toastRaised({ level: 'good', message: `Added to the queue. ${answer.data.message}` }))
    else await navigate('/training')
  }
  return (
    <Dialog
      open
      sheet
      title={title}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose} disabled={isLoading}>
            Cancel
          </Button>
          <Button
            type="submit"
            form={form}
            kind="primary"
            disabled={length.kind !== 'total'}
            busy={isLoading && (live ? 'Adding…' : 'Resuming…')}
          >
            {live ? 'Add to queue' : 'Resume training'}
          </Button>
        </>
      }
    >
      <form id={form} onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
        <p className="text-soft">
          A new session continues with the same weights, optimizer state, data order and curve. The original stays unchanged.
        </p>
        <Field label="Resume from" help={point && point.step !== point.checkpoint ? stepWords(point) : undefined}>
          {(control) => (
            <Select
              {...control}
              value={String(point?.checkpoint ?? '')}
              options={pointOptions(points)}
              onChoose={(value) => {
                setCheckpoint(Number(value))
                reset()
              }}
            />
          )}
        </Field>
        <Field
          label="Total iterations"
          help={length.words}
          error={length.kind === 'problem' ? length.words : problem?.fields['iterations']}
        >
          {(control) => (
            <NumberInput
              {...control}
              value={text}
              step={1}
              min={done + 1}
              onText={(next) => {
                setTyped(next)
                reset()
              }}
            />
          )}
        </Field>
        <Field
          label="Adapter name"
          aside="optional"
          help="Empty = the session’s own name, or a free one if it is taken."
          error={problem?.fields['adapter_name']}
        >
          {(control) => (
            <TextInput
              {...control}
              mono
              value={adapter}
              onText={(next) => {
                setAdapter(next)
                reset()
              }}
            />
          )}
        </Field>
        <Switch
          label="Overwrite adapter"
          help="Replaces an adapter of that name, even one of another run."
          checked={overwrite}
          onChange={(next) => {
            setOverwrite(next)
            reset()
          }}
        />
        {live ? <Notice>Training in progress. This one waits in the queue, and starts when the machine is free.</Notice> : null}
        {problem ? <ErrorPanel message={problem.detail} hint={problem.hint} detail={moreOf(problem)} /> : null}
      </form>
    </Dialog>
  )
}

function stepWords({ step }: ResumePoint): string {
  return `Continues at iteration ${step}, the last weight update before it.`
}

function moreOf({ detail, fields }: Problem): string {
  return Object.values(fields).filter((message) => message !== detail).join('\n')
}
