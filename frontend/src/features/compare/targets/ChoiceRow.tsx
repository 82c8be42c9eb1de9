/** One line of the dialog: a tick, a name, how ready it is, and its checkpoints. */
import { useId, type ReactNode } from 'react'
import { moment } from '@/lib/format'
import { cx } from '@/lib/cx'
import { Badge } from '@/ui/Badge'
import { READINESS, type Choice } from './choices'
import { checkpointWords, type Checkpoint } from './targets'

type Props = {
  readonly title: string
  readonly subtitle?: string
  readonly badge?: ReactNode
  readonly choice?: Choice
  readonly nested?: boolean
  readonly chosen: boolean
  readonly disabled: boolean
  readonly onChoose?: (on: boolean) => void
  readonly checkpoints?: readonly Checkpoint[]
  readonly chosenCheckpoints?: readonly (Checkpoint | null)[]
  readonly onCheckpoint?: (checkpoint: Checkpoint, on: boolean) => void
}

export function ChoiceRow({ title, subtitle, badge, choice, nested, chosen, disabled, onChoose, ...more }: Props) {
  const id = useId()
  const off = disabled && !chosen
  const facts = choice ? [methodWords(choice.method), choice.trained ? moment(choice.trained) : null].filter(Boolean).join(' · ') : ''
  return (
    <div className={cx('flex min-w-0 flex-col gap-1.5 border-b border-line py-2', nested && 'pl-6')}>
      <div className="flex min-w-0 flex-wrap items-center gap-x-2.5 gap-y-1">
        <input
          id={id}
          type="checkbox"
          checked={chosen}
          disabled={off}
          aria-describedby={`${id}-note`}
          onChange={(event) => onChoose?.(event.target.checked)}
          className="size-4 shrink-0 accent-accent"
        />
        <label htmlFor={id} className={cx('min-w-0 font-medium break-all', off && 'text-soft')}>
          {title}
        </label>
        {badge}
        {choice ? <Badge tone={READINESS[choice.readiness].tone}>{READINESS[choice.readiness].word}</Badge> : null}
        {facts ? <span className="ml-auto text-small text-faint">{facts}</span> : null}
      </div>
      <p id={`${id}-note`} className={cx('pl-6.5 text-small text-soft', !(subtitle ?? choice?.note) && 'sr-only')}>
        {subtitle ?? choice?.note ?? READINESS[choice?.readiness ?? 'ready'].word}
      </p>
      <Checkpoints title={title} {...more} />
    </div>
  )
}

type CheckpointProps = Pick<Props, 'title' | 'checkpoints' | 'chosenCheckpoints' | 'onCheckpoint'>

/** Shown where there is more than one: several may be compared with each other. */
function Checkpoints({ title, checkpoints = [], chosenCheckpoints = [], onCheckpoint }: CheckpointProps) {
  if (checkpoints.length < 2) return null
  return (
    <fieldset className="flex flex-wrap gap-1.5 pl-6.5">
      <legend className="sr-only">Checkpoints of {title}</legend>
      {checkpoints.map((checkpoint) => (
        <label
          key={checkpoint}
          className="relative inline-flex h-6 items-center rounded-full border border-edge px-2.5 text-tiny text-soft transition-colors hover:text-ink has-checked:border-accent has-checked:bg-accent-wash has-checked:font-medium has-checked:text-accent has-focus-visible:outline-2 has-focus-visible:outline-accent"
        >
          <input
            type="checkbox"
            className="absolute inset-0 opacity-0"
            checked={chosenCheckpoints.includes(checkpoint)}
            onChange={(event) => onCheckpoint?.(checkpoint, event.target.checked)}
          />
          {checkpointWords(checkpoint)}
        </label>
      ))}
    </fieldset>
  )
}

function methodWords(method: string | null): string | null {
  return method === null ? null : method.replaceAll('_', ' ').toUpperCase()
}
