/** The place of something that is on its way, in its final size. */
import { cx } from '@/lib/cx'

export function Skeleton({ className }: { readonly className?: string }) {
  return <span aria-hidden="true" className={cx('skeleton block h-4', className)} />
}
