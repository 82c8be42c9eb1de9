/** A pulsing dot: a run lives. */
import { cx } from '@/lib/cx'

export function LiveDot({ className }: { readonly className?: string }) {
  return (
    <span className={cx('flex size-2 shrink-0 items-center justify-center text-good', className)}>
      <span className="pulse-dot size-2 rounded-full bg-current" />
      <span className="sr-only">Training in progress</span>
    </span>
  )
}
