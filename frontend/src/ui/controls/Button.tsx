/** Buttons. A page has one `primary`; a button that waits is `busy` and says so with its words. */
import type { ButtonHTMLAttributes, Ref } from 'react'
import { cx } from '@/lib/cx'
import { Spinner } from '@/ui/feedback/Spinner'

export type ButtonKind = 'primary' | 'secondary' | 'ghost' | 'danger'

type Props = ButtonHTMLAttributes<HTMLButtonElement> & {
  readonly kind?: ButtonKind
  readonly size?: 'small' | 'normal' | 'large'
  /** What it waits for, shown instead of the label: "Starting…". */
  readonly busy?: string | false | undefined
  readonly ref?: Ref<HTMLButtonElement>
}

const KINDS: Record<ButtonKind, string> = {
  primary: 'border-transparent bg-accent text-on-accent hover:bg-accent-strong',
  secondary: 'border-edge bg-card text-ink hover:bg-sunken',
  ghost: 'border-transparent bg-transparent text-soft hover:bg-track/60 hover:text-ink',
  danger: 'border-edge bg-card text-bad hover:bg-bad-wash',
}
const SIZES = {
  small: 'h-7 gap-1.5 px-2.5 text-small',
  normal: 'h-8 gap-1.5 px-3 text-body',
  large: 'h-10 gap-2 px-4 text-body',
}

export function Button({ kind = 'secondary', size = 'normal', busy, className, children, disabled, ...rest }: Props) {
  return (
    <button
      type="button"
      className={cx(
        'inline-flex shrink-0 items-center justify-center rounded-field border font-medium whitespace-nowrap transition-colors select-none',
        'disabled:opacity-55',
        KINDS[kind],
        SIZES[size],
        className,
      )}
      disabled={disabled || Boolean(busy)}
      aria-busy={busy ? true : undefined}
      {...rest}
    >
      {busy ? (
        <>
          <Spinner />
          {busy}
        </>
      ) : (
        children
      )}
    </button>
  )
}
