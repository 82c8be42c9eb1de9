/** A big figure, a small unit, and one line of what it means. */
import type { ReactNode } from 'react'

type Props = {
  readonly label: string
  readonly value: string
  readonly note?: ReactNode
  readonly title?: string | undefined
}

export function StatCard({ label, value, note, title }: Props) {
  return (
    <div className="min-w-0 rounded-card border border-line bg-card px-3.5 py-3" title={title}>
      <dt className="truncate text-small text-soft">{label}</dt>
      <dd className="mt-0.5">
        <span className="block truncate text-figure font-semibold tracking-tight">{value}</span>
        {/* The line keeps its place while there is nothing to say. */}
        <span className="block min-h-4.5 truncate text-small text-faint">{note}</span>
      </dd>
    </div>
  )
}

export function StatGrid({ children }: { readonly children: ReactNode }) {
  return <dl className="grid grid-cols-2 gap-3 md:grid-cols-3 xl:grid-cols-6">{children}</dl>
}
