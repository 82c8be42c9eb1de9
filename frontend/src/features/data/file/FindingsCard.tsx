/** What is right and wrong with the file. Lines lead to the rows they are in. */
import type { DatasetInspection } from '@/api/generated'
import { FindingRow } from '@/start/data/examination/FindingRow'
import { findingsOf } from '@/start/data/examination/findings'
import { Card } from '@/ui/Card'

type Props = { readonly found: DatasetInspection; readonly onLine: (line: number) => void }

export function FindingsCard({ found, onLine }: Props) {
  const findings = findingsOf(found)
  const worst = findings.filter(({ tone }) => tone === 'bad' || tone === 'warn').length
  return (
    <Card title="Findings" subtitle={worst === 0 ? 'Ready to train' : `${worst} to review before training`}>
      <ul className="flex flex-col gap-3">
        {findings.map((finding) => (
          <FindingRow key={finding.id} finding={finding} onLine={onLine} />
        ))}
      </ul>
    </Card>
  )
}
