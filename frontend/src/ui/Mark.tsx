/** The app's mark: rows of text, and the adapter beside them. */
import { useId } from 'react'

export function Mark({ className }: { readonly className?: string }) {
  const id = useId()
  return (
    <svg viewBox="0 0 32 32" className={className} aria-hidden="true">
      <linearGradient id={id} x1="0" y1="0" x2="1" y2="1">
        <stop offset="0" stopColor="var(--mark-from)" />
        <stop offset="1" stopColor="var(--mark-to)" />
      </linearGradient>
      <rect width="32" height="32" rx="8" fill={`url(#${id})`} />
      <g fill="none" stroke="var(--mark-ink)" strokeLinecap="round" strokeWidth="2.6">
        <path d="M8 11h16" opacity=".55" />
        <path d="M8 16h16" opacity=".8" />
        <path d="M8 21h10" />
      </g>
    </svg>
  )
}
