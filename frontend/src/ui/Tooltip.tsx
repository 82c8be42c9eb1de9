/** A short explanation on hover and on keyboard focus. */
import { useId, type ReactNode } from 'react'
import { cx } from '@/lib/cx'

type Props = {
  readonly text: string
  readonly side?: 'top' | 'right'
  readonly children: (describedBy: string) => ReactNode
}

const SIDES = {
  top: 'bottom-full left-1/2 mb-1.5 -translate-x-1/2',
  right: 'top-1/2 left-full ml-2 -translate-y-1/2',
}

export function Tooltip({ text, side = 'top', children }: Props) {
  const id = useId()
  return (
    <span className="group/tip relative inline-flex">
      {children(id)}
      <span
        id={id}
        role="tooltip"
        className={cx(
          'pointer-events-none absolute z-40 w-max max-w-64 rounded-small bg-ink px-2 py-1 text-tiny text-canvas opacity-0 transition-opacity delay-200',
          'group-focus-within/tip:opacity-100 group-hover/tip:opacity-100',
          SIDES[side],
        )}
      >
        {text}
      </span>
    </span>
  )
}
