/** How far something is; `value` from 0 to 1, null where that can't be known. */
import { cx } from '@/lib/cx'

type Props = {
  readonly label: string
  readonly value: number | null
  readonly text?: string
  readonly className?: string
}

export function ProgressBar({ label, value, text, className }: Props) {
  const share = value === null ? null : Math.min(1, Math.max(0, value))
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={share === null ? undefined : Math.round(share * 100)}
      aria-valuetext={text}
      className={cx('h-1.5 overflow-hidden rounded-full bg-track', className)}
    >
      <div
        className={cx('h-full rounded-full bg-accent', share === null && 'skeleton w-full')}
        style={share === null ? undefined : { width: `${share * 100}%` }}
      />
    </div>
  )
}
