/** One to five stars: native radio buttons, so arrow keys work. The same star again takes it away. */
import { Star } from 'lucide-react'
import { useId } from 'react'
import { cx } from '@/lib/cx'

type Props = {
  readonly label: string
  readonly value: number | null
  readonly disabled?: boolean
  readonly onRate: (value: number | null) => void
}

const VALUES = [1, 2, 3, 4, 5]

export function Stars({ label, value, disabled, onRate }: Props) {
  const name = useId()
  return (
    <fieldset className="inline-flex items-center" disabled={disabled}>
      <legend className="sr-only">{label}</legend>
      {VALUES.map((each) => (
        <label
          key={each}
          title={disabled ? 'Once the answer is kept' : each === value ? 'Take the stars away' : `${each} of 5`}
          className="relative flex size-6 items-center justify-center rounded-small has-focus-visible:outline-2 has-focus-visible:outline-accent"
        >
          <input
            type="radio"
            name={name}
            className="absolute inset-0 opacity-0"
            checked={each === value}
            onChange={() => onRate(each)}
            onClick={() => {
              if (each === value) onRate(null)
            }}
          />
          <span className="sr-only">{each === 1 ? '1 star' : `${each} stars`}</span>
          <Star
            aria-hidden="true"
            strokeWidth={1.75}
            className={cx(
              'size-3.5 transition-colors',
              value !== null && each <= value ? 'fill-warn text-warn' : 'text-faint',
              disabled && 'opacity-50',
            )}
          />
        </label>
      ))}
    </fieldset>
  )
}
