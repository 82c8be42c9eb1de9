/**
 * How long rows are, as bars of equal width, with the line where they are cut. What lies behind the
 * line is hatched as well as coloured. The last bar holds everything longer, however long it is.
 */
import { useId } from 'react'
import { count } from '@/lib/format'
import { cx } from '@/lib/cx'

export type LengthBin = { readonly start: number; readonly end: number; readonly rows: number }

type Props = {
  readonly bins: readonly LengthBin[]
  /** Rows are cut here; null draws no line. */
  readonly limit?: number | null | undefined
  /** What the picture says, for those who don't see it. */
  readonly summary: string
  /** Bars only, for a small place. */
  readonly compact?: boolean
  readonly className?: string
}

const GAP = 0.14
const LEAST = 1.5

export function LengthHistogram({ bins, limit = null, summary, compact, className }: Props) {
  const hatch = useId()
  const most = Math.max(1, ...bins.map((bin) => bin.rows))
  const cut = limit === null ? null : placeOf(bins, limit)
  const shown = cut !== null && cut < bins.length
  return (
    <figure className={cx('min-w-0', className)}>
      <div className={cx('relative', compact ? 'h-10' : 'h-36')}>
        <svg
          role="img"
          aria-label={summary}
          viewBox={`0 0 ${bins.length || 1} 100`}
          preserveAspectRatio="none"
          className="absolute inset-0 size-full"
        >
          <defs>
            <pattern id={hatch} width="1" height="3" patternUnits="userSpaceOnUse">
              <rect width="1" height="3" className="fill-warn" opacity="0.4" />
              <rect width="1" height="1.5" className="fill-warn" />
            </pattern>
          </defs>
          {bins.map((bin, index) => {
            const height = bin.rows === 0 ? 0 : Math.max(LEAST, (bin.rows / most) * 100)
            const over = cut === null ? 0 : Math.min(1, Math.max(0, index + 1 - cut))
            const width = 1 - GAP
            return (
              <g key={bin.start}>
                <title>{`${rangeWords(bin, index === bins.length - 1)}: ${count(bin.rows)}`}</title>
                <rect
                  x={index + GAP / 2}
                  y={100 - height}
                  width={width * (1 - over)}
                  height={height}
                  className="fill-accent"
                />
                <rect
                  x={index + GAP / 2 + width * (1 - over)}
                  y={100 - height}
                  width={width * over}
                  height={height}
                  fill={`url(#${hatch})`}
                />
              </g>
            )
          })}
        </svg>
        {shown ? (
          <div
            className="pointer-events-none absolute inset-y-0 border-l border-dashed border-warn"
            style={{ left: `${(cut / bins.length) * 100}%` }}
          >
            {compact ? null : (
              <span
                className={cx(
                  'absolute -top-1 rounded-small bg-warn-wash px-1.5 text-tiny font-medium whitespace-nowrap text-warn',
                  cut / bins.length > 0.6 ? 'right-1' : 'left-1',
                )}
              >
                cut at {count(limit)}
              </span>
            )}
          </div>
        ) : null}
      </div>
      {compact ? null : <Axis bins={bins} />}
    </figure>
  )
}

function Axis({ bins }: { readonly bins: readonly LengthBin[] }) {
  const last = bins[bins.length - 1]
  const middle = bins[Math.floor(bins.length / 2)]
  if (!last || !middle) return null
  return (
    <div aria-hidden="true" className="mt-1 flex justify-between border-t border-line pt-1 text-tiny text-faint">
      <span>{count(bins[0]?.start)}</span>
      {bins.length > 4 ? <span>{count(middle.start)}</span> : null}
      <span>{count(last.end - 1)} tokens</span>
    </div>
  )
}

/** Where the limit falls, counted in bars from the left; a row of exactly `limit` tokens fits. */
export function placeOf(bins: readonly LengthBin[], limit: number): number {
  const index = bins.findIndex((bin) => limit + 1 < bin.end)
  if (index < 0) return bins.length
  const bin = bins[index]
  if (!bin || limit + 1 <= bin.start) return Math.max(index, 0)
  return index + (limit + 1 - bin.start) / (bin.end - bin.start)
}

export function rangeWords(bin: LengthBin, last = false): string {
  if (last) return `${count(bin.start)} tokens and more`
  return bin.end - bin.start === 1 ? `${count(bin.start)} tokens` : `${count(bin.start)} to ${count(bin.end - 1)} tokens`
}
