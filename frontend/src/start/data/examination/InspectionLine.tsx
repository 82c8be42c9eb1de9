/** A file's format, rows and first problems, by line. */
import type { DatasetInspection, LineProblem, TokenLengths } from '@/api/generated'
import { ExaminationProgress } from './ExaminationProgress'
import type { Inspection } from './useInspection'
import { formName } from '@/start/data/dataForms'
import { bytes, count, plural } from '@/lib/format'
import { Badge } from '@/ui/Badge'
import { LengthHistogram } from './LengthHistogram'
import { Skeleton } from '@/ui/feedback/Skeleton'

const SHOWN = 4

type Props = { readonly inspection: Inspection; readonly histogram: boolean }

export function InspectionLine({ inspection, histogram }: Props) {
  const { found, looking, cancelled, canCancel } = inspection
  const progress = <ExaminationProgress examination={inspection} waiting={<Skeleton className="h-5 w-40" />} />
  if (!found) return looking || cancelled ? <div className="mt-2.5 text-small">{progress}</div> : null
  return (
    <div className="mt-2.5">
      {looking && canCancel ? <div className="mb-2.5 text-small">{progress}</div> : null}
      <div className="flex items-end justify-between gap-4">
        <div className="flex flex-wrap gap-1.5">
          <Badge>{formName(found.format)}</Badge>
          <Badge>{rowWords(found)}</Badge>
          <Badge>{bytes(found.size_bytes)}</Badge>
          <ProblemBadge found={found} />
          {found.lengths ? <CutBadge lengths={found.lengths} /> : null}
        </div>
        {found.lengths && histogram ? (
          <LengthHistogram
            compact
            bins={found.lengths.bins}
            limit={found.lengths.max_seq_length}
            summary={lengthsInWords(found.lengths)}
            className="w-28 shrink-0"
          />
        ) : null}
      </div>
      {found.problems.length > 0 ? (
        <ul className="mt-2 flex flex-col gap-0.5 text-tiny text-bad">
          {found.problems.slice(0, SHOWN).map((problem) => (
            <li key={`${problem.line}:${problem.message}`} className="break-words">
              {lineText(problem)}
            </li>
          ))}
          {found.problem_count > SHOWN ? (
            <li className="text-faint">and {count(found.problem_count - Math.min(SHOWN, found.problems.length))} more</li>
          ) : null}
        </ul>
      ) : null}
    </div>
  )
}

/** The histogram as a sentence. */
function lengthsInWords({ median, longest, truncated_rows: cut, max_seq_length: at }: TokenLengths): string {
  const range = `Half of the rows have at most ${count(median)} tokens, the longest ${count(longest)}`
  if (at == null) return `${range}.`
  return cut ? `${range}; ${count(cut)} are cut at ${count(at)}.` : `${range}; none is cut at ${count(at)}.`
}

function CutBadge({ lengths }: { readonly lengths: TokenLengths }) {
  if (!lengths.truncated_rows) return null
  return (
    <Badge tone="warn">
      {count(lengths.truncated_rows)} over {count(lengths.max_seq_length)} tokens
    </Badge>
  )
}

function ProblemBadge({ found }: { readonly found: DatasetInspection }) {
  if (found.problem_count === 0) return found.complete === false ? null : <Badge tone="good">no problems</Badge>
  return <Badge tone="bad">{plural(found.problem_count, 'problem')}</Badge>
}

/** Of a file that was not read to its end, only what was read is known. */
function rowWords({ rows, complete }: DatasetInspection): string {
  return complete === false ? `first ${plural(rows, 'row')} read` : plural(rows, 'row')
}

/** Most messages name their line themselves; those that don't get it here. */
function lineText({ line, message }: LineProblem): string {
  return line === 0 || /\bline \d/i.test(message) ? message : `Line ${count(line)}: ${message}`
}
