/** A button that is only an icon: its label is read out and shown on hover. */
import type { LucideIcon } from 'lucide-react'
import type { ButtonHTMLAttributes } from 'react'
import { cx } from '@/lib/cx'

type Props = Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'children'> & {
  readonly icon: LucideIcon
  readonly label: string
}

export function IconButton({ icon: Icon, label, className, ...rest }: Props) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={cx(
        'inline-flex size-7 shrink-0 items-center justify-center rounded-field text-soft transition-colors',
        'hover:bg-track/60 hover:text-ink disabled:opacity-50',
        className,
      )}
      {...rest}
    >
      <Icon className="size-4" strokeWidth={1.75} aria-hidden="true" />
    </button>
  )
}
