/** Scores by sample and by function, with what each function gives on average. */
import type { TryAnswer } from '@/api/generated'
import { compact, percent } from '@/lib/format'
import { Notice } from '@/ui/feedback/Notice'
import { Cell, HeadCell, Row, Table } from '@/ui/Table'

export function TryResult({ answer }: { readonly answer: TryAnswer }) {
  const { functions, samples, notes, mean_total: total } = answer
  return (
    <div className="flex flex-col gap-3" role="status">
      {notes.length > 0 ? (
        <Notice>
          {notes.map((note) => (
            <p key={note}>{note}</p>
          ))}
        </Notice>
      ) : null}
      <Table caption="Scores of each function">
        <thead>
          <Row>
            <HeadCell>Function</HeadCell>
            <HeadCell className="text-right">Weight</HeadCell>
            <HeadCell className="text-right">Mean ± std</HeadCell>
            <HeadCell className="text-right">Applies to</HeadCell>
          </Row>
        </thead>
        <tbody>
          {functions.map((each) => (
            <Row key={each.name}>
              <Cell className="font-mono text-small break-all">{each.name}</Cell>
              <Cell className="text-right">{compact(each.weight)}</Cell>
              <Cell className="text-right whitespace-nowrap">
                {compact(each.mean)}
                {each.std === null ? '' : ` ± ${compact(each.std)}`}
              </Cell>
              <Cell className="text-right">{percent(each.coverage * 100, 0)}</Cell>
            </Row>
          ))}
        </tbody>
      </Table>
      <p className="text-small text-soft">
        Average reward: <span className="font-semibold text-ink">{compact(total)}</span>
      </p>
      <ul className="flex flex-col gap-2">
        {samples.map((sample, index) => (
          <li key={`${sample.line} ${index}`} className="rounded-field border border-line p-3 text-small">
            <div className="flex items-baseline justify-between gap-3 text-soft">
              <span>Line {sample.line}</span>
              <span>
                Reward <span className="font-semibold text-ink">{compact(sample.total)}</span>
              </span>
            </div>
            <p className="mt-1 line-clamp-3 break-words whitespace-pre-wrap text-soft">{sample.prompt}</p>
            <p className="mt-1 line-clamp-6 break-words whitespace-pre-wrap">{sample.completion}</p>
            <dl className="mt-1.5 flex flex-wrap gap-x-4 gap-y-0.5">
              {functions.map((each, at) => (
                <div key={each.name} className="flex min-w-0 items-baseline gap-1.5">
                  <dt className="font-mono text-tiny break-all text-soft">{each.name}</dt>
                  <dd className="font-medium">{compact(sample.scores[at])}</dd>
                </div>
              ))}
            </dl>
          </li>
        ))}
      </ul>
    </div>
  )
}
