/** A sentence that belongs to its place on the page: a fact, a warning, a problem, with one action. */
import { CircleAlert, Info, TriangleAlert } from 'lucide-react'
import type { ReactNode } from 'react'
import { cx } from '@/lib/cx'

type Props = {
  readonly tone?: 'info' | 'warn' | 'bad'
  readonly title?: ReactNode
  readonly action?: ReactNode
  readonly className?: string
  readonly children?: ReactNode
}

const LOOKS = {
  info: { box: 'bg-sunken text-soft', icon: Info },
  warn: { box: 'bg-warn-wash text-warn', icon: TriangleAlert },
  bad: { box: 'bg-bad-wash text-bad', icon: CircleAlert },
}

export function Notice({ tone = 'info', title, action, className, children }: Props) {
  const { box, icon: Icon } = LOOKS[tone]
  return (
    <div
      role={tone === 'bad' ? 'alert' : 'note'}
      className={cx('flex gap-2 rounded-field px-3 py-2 text-small', box, className)}
    >
      <Icon className="mt-0.5 size-3.5 shrink-0" aria-hidden="true" />
      <div className="min-w-0 flex-1 break-words">
        {title ? <p className="font-semibold">{title}</p> : null}
        {children ? <div>{children}</div> : null}
        {action ? <div className="mt-1">{action}</div> : null}
      </div>
    </div>
  )
}
