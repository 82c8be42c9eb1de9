/** Only the visible lines of a long log are in the page; rows have one height, so scrolling is arithmetic. */
import { useLayoutEffect, useRef, useState, type UIEvent } from 'react'
import { cx } from '@/lib/cx'
import { splitByMatch, type LogLine } from './logBook'

type Props = {
  readonly lines: readonly LogLine[]
  readonly search: string
  /** Keep the newest line in view. */
  readonly follow: boolean
  /** The user scrolled: away from the end, or back to it. */
  readonly onFollow: (follow: boolean) => void
  readonly height: number
}

const ROW = 20
const SPARE = 15

const TONES = { info: 'text-ink', warning: 'text-warn', error: 'text-bad' }

export function LogList({ lines, search, follow, onFollow, height }: Props) {
  const box = useRef<HTMLDivElement>(null)
  const [top, setTop] = useState(0)
  const first = Math.max(0, Math.floor(top / ROW) - SPARE)
  const past = Math.min(lines.length, Math.ceil((top + height) / ROW) + SPARE)

  useLayoutEffect(() => {
    if (follow && box.current) box.current.scrollTop = box.current.scrollHeight
  }, [follow, lines])

  const onScroll = ({ currentTarget }: UIEvent<HTMLDivElement>) => {
    setTop(currentTarget.scrollTop)
    const atEnd = currentTarget.scrollHeight - currentTarget.scrollTop - currentTarget.clientHeight < ROW
    if (atEnd !== follow) onFollow(atEnd)
  }

  const digits = String(lines.at(-1)?.number ?? 0).length
  return (
    <div
      ref={box}
      onScroll={onScroll}
      role="region"
      aria-label="Log lines"
      // A box that scrolls must be reachable by keyboard.
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      className="overflow-auto rounded-small font-mono text-tiny"
      style={{ height }}
    >
      <div className="relative w-max min-w-full" style={{ height: lines.length * ROW }}>
        <div className="absolute inset-x-0" style={{ top: first * ROW }}>
          {lines.slice(first, past).map((line) => (
            <div key={line.number} className="flex whitespace-pre" style={{ height: ROW, lineHeight: `${ROW}px` }}>
              <span
                className="mr-3 shrink-0 text-right text-faint select-none"
                style={{ width: `${Math.max(3, digits)}ch` }}
                aria-hidden="true"
              >
                {line.number}
              </span>
              <span className={cx('pr-3', TONES[line.level])}>
                <Marked text={line.text} search={search} />
              </span>
            </div>
          ))}
        </div>
      </div>
    </div>
  )
}

function Marked({ text, search }: { readonly text: string; readonly search: string }) {
  return splitByMatch(text, search).map((piece, index) =>
    piece.hit ? (
      <mark key={index} className="rounded-[2px] bg-warn-wash text-inherit outline outline-warn/50">
        {piece.text}
      </mark>
    ) : (
      piece.text
    ),
  )
}
