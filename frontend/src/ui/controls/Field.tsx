/** Label above, help under, a problem in its place and in red; the control is told their ids. */
import { useId, type ReactNode } from 'react'
import { CircleAlert } from 'lucide-react'
import { cx } from '@/lib/cx'

export type ControlProps = {
  readonly id: string
  readonly 'aria-describedby': string | undefined
  readonly 'aria-invalid': true | undefined
}

type Props = {
  readonly label: ReactNode
  readonly help?: ReactNode
  readonly error?: string | null | undefined
  /** Beside the label, for what belongs to it: "optional". */
  readonly aside?: ReactNode
  readonly className?: string
  readonly children: (control: ControlProps) => ReactNode
}

export function Field({ label, help, error, aside, className, children }: Props) {
  const id = useId()
  const note = `${id}-note`
  const hasNote = Boolean(error) || Boolean(help)
  return (
    <div className={cx('flex min-w-0 flex-col gap-1.5', className)}>
      <div className="flex items-baseline justify-between gap-2">
        <label htmlFor={id} className="text-small font-medium text-ink">
          {label}
        </label>
        {aside ? <span className="text-tiny text-faint">{aside}</span> : null}
      </div>
      {children({
        id,
        'aria-describedby': hasNote ? note : undefined,
        'aria-invalid': error ? true : undefined,
      })}
      {hasNote ? <FieldNote id={note} help={help} error={error} /> : null}
    </div>
  )
}

type NoteProps = {
  readonly id: string
  readonly help?: ReactNode
  readonly error?: string | null | undefined
}

export function FieldNote({ id, help, error }: NoteProps) {
  if (error) {
    return (
      <p id={id} className="flex gap-1 text-tiny text-bad">
        <CircleAlert className="mt-0.5 size-3 shrink-0" aria-hidden="true" />
        <span>{error}</span>
      </p>
    )
  }
  return (
    <p id={id} className="text-tiny text-faint">
      {help}
    </p>
  )
}
