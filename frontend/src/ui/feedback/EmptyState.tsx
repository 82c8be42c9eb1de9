/** What will be here, and the one button that makes it so. */
import type { LucideIcon } from 'lucide-react'
import type { ReactNode } from 'react'

type Props = {
  readonly icon: LucideIcon
  readonly title: string
  readonly action?: ReactNode
  readonly children?: ReactNode
}

export function EmptyState({ icon: Icon, title, action, children }: Props) {
  return (
    <div className="mx-auto flex max-w-md flex-col items-center px-4 py-14 text-center">
      <span className="mb-4 flex size-11 items-center justify-center rounded-card border border-line bg-card text-accent">
        <Icon className="size-5" strokeWidth={1.75} aria-hidden="true" />
      </span>
      <h2 className="text-lead font-semibold text-ink">{title}</h2>
      {children ? <div className="mt-1.5 text-body text-soft">{children}</div> : null}
      {action ? <div className="mt-5 flex flex-wrap justify-center gap-2">{action}</div> : null}
    </div>
  )
}
