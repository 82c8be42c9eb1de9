/** A hairline box with a title, a quiet line under it, and room for controls at the right. */
import { useId, type ReactNode } from 'react'
import { cx } from '@/lib/cx'

type Props = {
  readonly title?: ReactNode
  readonly subtitle?: ReactNode
  readonly actions?: ReactNode
  readonly className?: string
  readonly bodyClassName?: string
  readonly children?: ReactNode
}

export function Card({ title, subtitle, actions, className, bodyClassName, children }: Props) {
  const id = useId()
  return (
    <section
      aria-labelledby={title ? id : undefined}
      className={cx('flex min-w-0 flex-col rounded-card border border-line bg-card p-4', className)}
    >
      {title || actions ? (
        <header className="mb-3.5 flex flex-wrap items-start justify-between gap-x-4 gap-y-2">
          <div className="min-w-0 flex-1 basis-52">
            <h2 id={id} className="text-body font-semibold text-ink">
              {title}
            </h2>
            {subtitle ? <div className="mt-0.5 text-small text-soft">{subtitle}</div> : null}
          </div>
          {actions ? <div className="flex flex-wrap items-center gap-2">{actions}</div> : null}
        </header>
      ) : null}
      <div className={cx('min-w-0 flex-1', bodyClassName)}>{children}</div>
    </section>
  )
}
