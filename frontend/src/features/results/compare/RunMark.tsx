/** The line that a run has in the chart. */
import { lookOf } from './runCurves'

export function RunMark({ place }: { readonly place: number }) {
  const { color, dash } = lookOf(place)
  return (
    <svg viewBox="0 0 18 12" className="h-3 w-4.5 shrink-0" aria-hidden="true">
      <line x1="0" y1="6" x2="18" y2="6" strokeWidth="2.5" strokeDasharray={dash.join(' ')} style={{ stroke: `var(--${color})` }} />
    </svg>
  )
}
