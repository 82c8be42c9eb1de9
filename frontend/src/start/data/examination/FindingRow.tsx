/** One thing worth knowing of a file. Its lines lead to the rows they are in. */
import { CircleAlert, CircleCheck, Info, TriangleAlert } from 'lucide-react'
import { useState } from 'react'
import type { Finding } from './findings'
import { count } from '@/lib/format'
import { cx } from '@/lib/cx'
import { LinkButton } from '@/ui/controls/LinkButton'

const LOOKS = {
  bad: { icon: CircleAlert, tone: 'text-bad', word: 'Problem' },
  warn: { icon: TriangleAlert, tone: 'text-warn', word: 'Warning' },
  info: { icon: Info, tone: 'text-soft', word: 'Note' },
  good: { icon: CircleCheck, tone: 'text-good', word: 'Good' },
}
const FEW = 5

type Props = { readonly finding: Finding; readonly onLine: (line: number) => void }

export function FindingRow({ finding, onLine }: Props) {
  const [all, setAll] = useState(false)
  const { icon: Icon, tone, word } = LOOKS[finding.tone]
  const problems = finding.problems ?? []
  const shown = all ? problems : problems.slice(0, FEW)
  return (
    <li className="flex gap-2.5">
      <Icon className={cx('mt-0.5 size-4 shrink-0', tone)} aria-label={word} />
      <div className="min-w-0 flex-1">
        <p className="font-medium text-ink">{finding.title}</p>
        <p className="text-small break-words text-soft">{finding.text}</p>
        {finding.lines.length > 0 ? (
          <p className="mt-0.5 flex flex-wrap gap-x-2 text-small text-soft">
            Go to line
            {finding.lines.slice(0, FEW).map((line) => (
              <LinkButton key={line} onClick={() => onLine(line)}>
                {count(line)}
              </LinkButton>
            ))}
          </p>
        ) : null}
        {shown.length > 0 ? (
          <ul className="mt-1.5 flex max-h-64 flex-col gap-0.5 overflow-y-auto rounded-field bg-sunken px-2.5 py-1.5 text-small text-ink">
            {shown.map(({ line, message }) => (
              <li key={`${line}:${message}`} className="break-words">
                {message}
              </li>
            ))}
          </ul>
        ) : null}
        {problems.length > FEW ? (
          <LinkButton className="mt-1 text-small" aria-expanded={all} onClick={() => setAll(!all)}>
            {all ? 'Show fewer' : `Show ${count(problems.length)}`}
          </LinkButton>
        ) : null}
      </div>
    </li>
  )
}
