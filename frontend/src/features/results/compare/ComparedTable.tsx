/** A row for each number or setting, a column for each run. */
import { Link } from 'react-router'
import type { ComparedRun } from '@/api/generated'
import { cx } from '@/lib/cx'
import { Cell, HeadCell, Row, Table } from '@/ui/Table'
import { RunMark } from './RunMark'
import type { TableRow } from './runTable'

type Props = {
  readonly caption: string
  readonly runs: readonly ComparedRun[]
  readonly rows: readonly TableRow[]
  readonly mono?: boolean
}

export function ComparedTable({ caption, runs, rows, mono }: Props) {
  return (
    <Table caption={caption}>
      <thead>
        <Row>
          <HeadCell>
            <span className="sr-only">What</span>
          </HeadCell>
          {runs.map((run, place) => (
            <HeadCell key={run.session_id} className="min-w-32">
              <span className="inline-flex items-center gap-1.5">
                <RunMark place={place} />
                <Link to={`/results/${encodeURIComponent(run.session_id)}`} className="rounded-small text-ink hover:text-accent hover:underline">
                  {run.name}
                </Link>
              </span>
            </HeadCell>
          ))}
        </Row>
      </thead>
      <tbody>
        {rows.map(({ label, values }) => (
          <Row key={label}>
            <th scope="row" className={cx('px-3 py-2 text-left text-small font-medium whitespace-nowrap text-soft', mono && 'font-mono')}>
              {label}
            </th>
            {values.map((value, place) => (
              <Cell key={runs[place]?.session_id ?? place} className={cx('max-w-72 break-words', mono && 'font-mono text-small')}>
                {value}
              </Cell>
            ))}
          </Row>
        ))}
      </tbody>
    </Table>
  )
}
