/**
 * A row as the model sees it. What is learned is tinted and underlined, what is cut is struck
 * through, what is only read is plain: each can be told without its colour.
 */
import type { PreviewToken } from '@/api/generated'
import { cx } from '@/lib/cx'
import { KIND_WORDS, segmentsOf, shownText, type Kind, type Segment } from './segments'

const LOOKS: Record<Kind, string> = {
  learned: 'bg-accent-wash text-ink underline decoration-accent decoration-2 underline-offset-4',
  read: 'text-soft',
  cut: 'text-bad line-through decoration-bad',
}

type Props = { readonly tokens: readonly PreviewToken[]; readonly apart: boolean }

export function TokenText({ tokens, apart }: Props) {
  return (
    <div
      // It scrolls, so it must be reachable by keyboard.
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      role="group"
      aria-label="The row as the model sees it"
      className="max-h-96 overflow-y-auto rounded-field border border-line bg-sunken px-3 py-2.5 font-mono text-small leading-6 break-words whitespace-pre-wrap"
    >
      {segmentsOf(tokens).map((segment) => (
        <SegmentText key={segment.at} segment={segment} apart={apart} />
      ))}
    </div>
  )
}

function SegmentText({ segment, apart }: { readonly segment: Segment; readonly apart: boolean }) {
  const { kind, at, tokens } = segment
  const Tag = kind === 'learned' ? 'mark' : kind === 'cut' ? 's' : 'span'
  return (
    <Tag className={cx('rounded-small box-decoration-clone', LOOKS[kind])}>
      <span className="sr-only">{`${KIND_WORDS[kind]}: `}</span>
      {tokens.map((token, index) => (
        <TokenSpan key={at + index} token={token} place={at + index} apart={apart} />
      ))}
    </Tag>
  )
}

type TokenProps = { readonly token: PreviewToken; readonly place: number; readonly apart: boolean }

function TokenSpan({ token, place, apart }: TokenProps) {
  return (
    <span
      title={`Token ${place + 1} · id ${token.id}${token.special ? ' · special' : ''}`}
      className={cx(
        token.special && 'font-semibold italic',
        apart && 'mr-px rounded-small shadow-[inset_0_0_0_1px_var(--edge)]',
      )}
    >
      {shownText(token.text)}
    </span>
  )
}

export function TokenLegend() {
  return (
    <ul className="flex flex-wrap gap-x-4 gap-y-1 text-small text-soft" aria-label="Legend">
      <li className="inline-flex items-center gap-1.5">
        <span aria-hidden="true" className={cx('rounded-small px-1 font-mono', LOOKS.learned)}>
          Abc
        </span>
        learned
      </li>
      <li className="inline-flex items-center gap-1.5">
        <span aria-hidden="true" className={cx('px-1 font-mono', LOOKS.read)}>
          Abc
        </span>
        read, not learned
      </li>
      <li className="inline-flex items-center gap-1.5">
        <span aria-hidden="true" className={cx('px-1 font-mono', LOOKS.cut)}>
          Abc
        </span>
        cut off
      </li>
    </ul>
  )
}
