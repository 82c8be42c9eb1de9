/** A link that looks like a button, for moving to where the next thing is done. */
import type { ReactNode } from 'react'
import { Link } from 'react-router'
import { cx } from '@/lib/cx'

type Props = { readonly to: string; readonly primary?: boolean; readonly children: ReactNode }

export function ActionLink({ to, primary, children }: Props) {
  return (
    <Link
      to={to}
      className={cx(
        'inline-flex h-8 shrink-0 items-center justify-center gap-1.5 rounded-field border px-3 text-body font-medium whitespace-nowrap transition-colors',
        primary
          ? 'border-transparent bg-accent text-on-accent hover:bg-accent-strong'
          : 'border-edge bg-card text-ink hover:bg-sunken',
      )}
    >
      {children}
    </Link>
  )
}
