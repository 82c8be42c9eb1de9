/** What a run with this file should be told, with a way to the rows. */
import { useNavigate } from 'react-router'
import type { Inspection } from './useInspection'
import { FindingRow } from './FindingRow'
import { runFindings } from './findings'
import type { StartForm } from '@/start/fields/useStartForm'

type Props = { readonly form: StartForm; readonly inspection: Inspection }

export function DataFindings({ form, inspection: { found } }: Props) {
  const navigate = useNavigate()
  const { values } = form
  const findings = found ? runFindings(found, { masked: values.mask_prompt === true, validated: values.val_data_path !== '' }) : []
  if (findings.length === 0) return null
  const goTo = (line: number) => {
    const query = new URLSearchParams({ path: String(values.train_data_path), limit: String(values.max_seq_length), line: String(line) })
    void navigate(`/data?${query.toString()}`)
  }
  return (
    <ul aria-label="Findings in the training data" className="flex flex-col gap-2">
      {findings.map((finding) => (
        <FindingRow key={finding.id} finding={finding} onLine={goTo} />
      ))}
    </ul>
  )
}
