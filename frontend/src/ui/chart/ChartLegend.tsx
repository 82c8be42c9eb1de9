/** Which mark is which, by shape as well as by colour. */
import type { ReactNode } from 'react'

type Props = {
  readonly smoothed: boolean
  readonly validated: boolean
  readonly checkpoints: boolean
  readonly spread: boolean
  /** The name of the second curve, if there is one. */
  readonly beside: string | null
}

export function ChartLegend({ smoothed, validated, checkpoints, spread, beside }: Props) {
  return (
    <ul className="flex flex-wrap items-center gap-x-3.5 gap-y-0.5">
      <Entry text={smoothed ? 'train (smoothed)' : 'train'}>
        <line x1="0" y1="6" x2="14" y2="6" strokeWidth="2" className="stroke-(--chart-train)" />
      </Entry>
      {spread ? (
        <Entry text="± one deviation">
          <line x1="0" y1="6" x2="14" y2="6" strokeDasharray="2 3" className="stroke-(--chart-train)" />
        </Entry>
      ) : null}
      {beside ? (
        <Entry text={beside}>
          <line x1="0" y1="6" x2="14" y2="6" strokeWidth="1.5" strokeDasharray="5 3" className="stroke-(--chart-memory)" />
        </Entry>
      ) : null}
      {validated ? (
        <>
          <Entry text="validation">
            <circle cx="7" cy="6" r="3.5" className="fill-(--chart-validation)" />
          </Entry>
          <Entry text="best">
            <circle cx="7" cy="6" r="4.75" fill="none" strokeWidth="1.5" className="stroke-(--chart-validation)" />
            <circle cx="7" cy="6" r="2.25" className="fill-(--chart-validation)" />
          </Entry>
        </>
      ) : null}
      {checkpoints ? (
        <Entry text="checkpoint">
          <line x1="7" y1="2" x2="7" y2="10" strokeWidth="1" className="stroke-(--chart-axis)" />
        </Entry>
      ) : null}
    </ul>
  )
}

function Entry({ text, children }: { readonly text: string; readonly children: ReactNode }) {
  return (
    <li className="inline-flex items-center gap-1.5 text-small text-soft">
      <svg viewBox="0 0 14 12" className="h-3 w-3.5" aria-hidden="true">
        {children}
      </svg>
      {text}
    </li>
  )
}
