/** The title row of a page: name, one line, and the page's own controls. */
import type { ReactNode } from 'react'

type Props = {
  readonly title: ReactNode
  readonly subtitle?: ReactNode
  readonly children?: ReactNode
}

export function PageHeader({ title, subtitle, children }: Props) {
  return (
    <header className="mb-4 flex min-h-9 flex-wrap items-center justify-between gap-x-4 gap-y-2">
      <div className="flex min-w-0 flex-wrap items-baseline gap-x-3 gap-y-0.5">
        <h1 className="text-title font-semibold tracking-tight text-ink">{title}</h1>
        {subtitle ? <div className="text-body text-soft">{subtitle}</div> : null}
      </div>
      {children ? <div className="flex flex-wrap items-center gap-2">{children}</div> : null}
    </header>
  )
}
