/** One to five stars: native radio buttons, so arrow keys work. The same star again takes it away. */
import { Star } from 'lucide-react'
import { useId, useState } from 'react'
import { cx } from '@/lib/cx'

type Props = {
  readonly label: string
  readonly value: number | null
  readonly disabled?: boolean
  /** False where it was refused: then the stars go back to what they were. */
  readonly onRate: (value: number | null) => Promise<boolean>
}

const VALUES = [1, 2, 3, 4, 5]

export function Stars({ label, value, disabled, onRate }: Props) {
  const name = useId()
  // What was pressed shows at once, until the server says what it kept.
  const [pressed, setPressed] = useState<{ readonly before: number | null; readonly now: number | null } | null>(null)
  const shown = pressed !== null && pressed.before === value ? pressed.now : value
  const rate = async (now: number | null) => {
    setPressed({ before: value, now })
    if (!(await onRate(now))) setPressed(null)
  }
  return (
    <fieldset className="inline-flex items-center" disabled={disabled}>
      <legend className="sr-only">{label}</legend>
      {VALUES.map((each) => (
        <label
          key={each}
          title={disabled ? 'Available once the answer is saved' : each === shown ? 'Clear the rating' : `${each} of 5`}
          className="relative flex size-6 items-center justify-center rounded-small has-focus-visible:outline-2 has-focus-visible:outline-accent"
        >
          <input
            type="radio"
            name={name}
            className="absolute inset-0 opacity-0"
            checked={each === shown}
            onChange={() => void rate(each)}
            onClick={() => {
              if (each === shown) void rate(null)
            }}
          />
          <span className="sr-only">{each === 1 ? '1 star' : `${each} stars`}</span>
          <Star
            aria-hidden="true"
            strokeWidth={1.75}
            className={cx(
              'size-3.5 transition-colors',
              shown !== null && each <= shown ? 'fill-warn text-warn' : 'text-faint',
              disabled && 'opacity-50',
            )}
          />
        </label>
      ))}
    </fieldset>
  )
}
