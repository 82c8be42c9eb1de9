/** A few choices side by side: native radio buttons, so arrow keys and readers just work. */
import { useId } from 'react'
import { cx } from '@/lib/cx'

type Choice<T extends string> = {
  readonly value: T
  readonly label: string
  readonly hint?: string
  /** A number that goes with it, in the segment. */
  readonly figure?: string | null
}

type Props<T extends string> = {
  readonly label: string
  readonly value: T
  readonly choices: readonly Choice<T>[]
  readonly onChoose: (value: T) => void
  readonly className?: string
}

export function Segmented<T extends string>({ label, value, choices, onChoose, className }: Props<T>) {
  const name = useId()
  return (
    <fieldset
      className={cx('inline-flex max-w-full flex-wrap rounded-field border border-edge bg-sunken p-0.5', className)}
    >
      <legend className="sr-only">{label}</legend>
      {choices.map((choice) => (
        <label
          key={choice.value}
          title={choice.hint}
          className={cx(
            'relative flex h-6.5 items-center rounded-small px-2.5 text-small whitespace-nowrap text-soft transition-colors select-none',
            'hover:text-ink has-checked:bg-raised has-checked:font-medium has-checked:text-ink',
            'has-checked:ring-1 has-checked:ring-line',
            'has-focus-visible:outline-2 has-focus-visible:outline-offset-1 has-focus-visible:outline-accent',
          )}
        >
          <input
            type="radio"
            name={name}
            className="absolute inset-0 opacity-0"
            {...(choice.figure ? { 'aria-label': choice.label, 'aria-describedby': `${name}-${choice.value}` } : {})}
            checked={choice.value === value}
            onChange={() => onChoose(choice.value)}
          />
          {choice.label}
          {choice.figure ? (
            <span id={`${name}-${choice.value}`} className="ml-1.5 text-tiny font-normal text-faint">
              {choice.figure}
            </span>
          ) : null}
        </label>
      ))}
    </fieldset>
  )
}
