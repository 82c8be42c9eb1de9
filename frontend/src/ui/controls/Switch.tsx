/** On or off, at once. The label is the sentence beside it. */
import { useId, type ReactNode } from 'react'
import { cx } from '@/lib/cx'
import { FieldNote } from './Field'

type Props = {
  readonly label: ReactNode
  readonly checked: boolean
  readonly onChange: (checked: boolean) => void
  readonly help?: ReactNode
  readonly error?: string | null | undefined
  readonly disabled?: boolean
  readonly className?: string
}

export function Switch({ label, checked, onChange, help, error, disabled, className }: Props) {
  const id = useId()
  const hasNote = Boolean(help) || Boolean(error)
  return (
    <div className={cx('flex min-w-0 items-start gap-2.5', className)}>
      <span className="relative mt-0.5 inline-flex h-4.5 w-7.5 shrink-0">
        <input
          id={id}
          type="checkbox"
          role="switch"
          checked={checked}
          disabled={disabled}
          aria-describedby={hasNote ? `${id}-note` : undefined}
          onChange={(event) => onChange(event.target.checked)}
          className={cx(
            'peer size-full appearance-none rounded-full bg-faint transition-colors checked:bg-accent disabled:opacity-50',
          )}
        />
        <span className="pointer-events-none absolute top-0.5 left-0.5 size-3.5 rounded-full bg-card transition-transform peer-checked:translate-x-3" />
      </span>
      <span className="flex min-w-0 flex-col gap-0.5">
        <label htmlFor={id} className="text-small font-medium text-ink">
          {label}
        </label>
        {hasNote ? <FieldNote id={`${id}-note`} help={help} error={error} /> : null}
      </span>
    </div>
  )
}
