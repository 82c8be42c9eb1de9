/** What is right and wrong with the file. Lines lead to the rows they are in. */
import { CircleAlert, CircleCheck, Info, TriangleAlert } from 'lucide-react'
import { useState } from 'react'
import type { DatasetInspection } from '@/api/generated'
import { count } from '@/lib/format'
import { cx } from '@/lib/cx'
import { Card } from '@/ui/Card'
import { LinkButton } from '@/ui/LinkButton'
import { findingsOf, type Finding } from './findings'

const LOOKS = {
  bad: { icon: CircleAlert, tone: 'text-bad', word: 'Problem' },
  warn: { icon: TriangleAlert, tone: 'text-warn', word: 'Warning' },
  info: { icon: Info, tone: 'text-soft', word: 'Note' },
  good: { icon: CircleCheck, tone: 'text-good', word: 'Good' },
}
const FEW = 5

type Props = { readonly found: DatasetInspection; readonly onLine: (line: number) => void }

export function FindingsCard({ found, onLine }: Props) {
  const findings = findingsOf(found)
  const worst = findings.filter(({ tone }) => tone === 'bad' || tone === 'warn').length
  return (
    <Card title="Findings" subtitle={worst === 0 ? 'Nothing stands in the way of a run' : `${worst} to look at before a run`}>
      <ul className="flex flex-col gap-3">
        {findings.map((finding) => (
          <FindingRow key={finding.id} finding={finding} onLine={onLine} />
        ))}
      </ul>
    </Card>
  )
}

type RowProps = { readonly finding: Finding; readonly onLine: (line: number) => void }

function FindingRow({ finding, onLine }: RowProps) {
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
            Look at line
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
            {all ? 'Show fewer' : `Show ${count(problems.length)} of them`}
          </LinkButton>
        ) : null}
      </div>
    </li>
  )
}
