/** A bar of parts of a whole, with its value in words for those who don't see it. */
import { cx } from '@/lib/cx'

export type MeterPart = { readonly label: string; readonly value: number; readonly className: string }

type Props = {
  readonly label: string
  readonly text: string
  readonly max: number
  readonly parts: readonly MeterPart[]
  readonly className?: string
}

export function Meter({ label, text, max, parts, className }: Props) {
  const sum = parts.reduce((total, part) => total + part.value, 0)
  const whole = Math.max(max, sum, Number.MIN_VALUE)
  return (
    <div
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={whole}
      aria-valuenow={sum}
      aria-valuetext={text}
      className={cx('flex h-1.5 overflow-hidden rounded-full bg-track', className)}
    >
      {parts.map((part) => (
        <span
          key={part.label}
          title={part.label}
          className={cx('h-full min-w-px transition-[width]', part.className)}
          style={{ width: `${(part.value / whole) * 100}%` }}
        />
      ))}
    </div>
  )
}
