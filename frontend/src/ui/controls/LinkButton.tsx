/** A button that reads as part of a sentence. */
import type { ButtonHTMLAttributes } from 'react'
import { cx } from '@/lib/cx'

type Props = ButtonHTMLAttributes<HTMLButtonElement> & { readonly quiet?: boolean }

export function LinkButton({ quiet, className, ...rest }: Props) {
  return (
    <button
      type="button"
      className={cx(
        'rounded-small font-medium underline-offset-2 hover:underline disabled:opacity-60',
        quiet ? 'text-current' : 'text-accent',
        className,
      )}
      {...rest}
    />
  )
}
