/** The sessions side by side, for screens with room. A click on a column's name sorts by it. */
import { ArrowDown, ArrowUp, Pin } from 'lucide-react'
import { Link } from 'react-router'
import type { SessionSummary } from '@/api/generated'
import { methodOf } from '@/run/reducer/runConfig'
import { bestWords, metricWords } from '@/run/series/best'
import { cx } from '@/lib/cx'
import { count, duration, loss, moment, UNKNOWN } from '@/lib/format'
import { Badge } from '@/ui/Badge'
import { StateBadge } from '@/run/view/StateBadge'
import { Cell, HeadCell, Row, Table } from '@/ui/Table'
import { ChooseRun } from './ChooseRun'
import { SessionActions } from './SessionActions'
import { sessionName, type Sort, type SortKey } from './sessions'
import { Sparkline } from './Sparkline'

type Props = {
  readonly sessions: readonly SessionSummary[]
  readonly sort: Sort
  readonly onSort: (sort: Sort) => void
  readonly chosen: readonly string[]
  readonly onChoose: (id: string) => void
  readonly className?: string
}

type Column = { readonly key: SortKey; readonly label: string; readonly right?: boolean; readonly from?: 'lg' | 'xl' }

const COLUMNS: readonly Column[] = [
  { key: 'name', label: 'Run' },
  { key: 'state', label: 'State' },
  { key: 'train', label: 'Train loss', right: true, from: 'lg' },
  { key: 'validation', label: 'Val loss', right: true, from: 'xl' },
  { key: 'best', label: 'Best', right: true },
  { key: 'steps', label: 'Iterations', right: true, from: 'xl' },
  { key: 'duration', label: 'Duration', right: true },
  { key: 'date', label: 'Date', right: true },
]

export function SessionTable({ sessions, sort, onSort, chosen, onChoose, className }: Props) {
  return (
    <div className={cx('rounded-card border border-line bg-card px-1', className)}>
      <Table caption="Sessions">
        <thead>
          <Row>
            <HeadCell className="w-8">
              <span className="sr-only">Compare</span>
            </HeadCell>
            {COLUMNS.map((column) => (
              <SortHead key={column.key} column={column} sort={sort} onSort={onSort} />
            ))}
            <HeadCell>
              <span className="sr-only">Actions</span>
            </HeadCell>
          </Row>
        </thead>
        <tbody>
          {sessions.map((session) => (
            <SessionRow
              key={session.session_id}
              session={session}
              chosen={chosen.includes(session.session_id)}
              onChoose={() => onChoose(session.session_id)}
            />
          ))}
        </tbody>
      </Table>
    </div>
  )
}

type SortHeadProps = { readonly column: Column; readonly sort: Sort; readonly onSort: (sort: Sort) => void }

function SortHead({ column: { key, label, right, from }, sort, onSort }: SortHeadProps) {
  const active = sort.key === key
  const Arrow = sort.down ? ArrowDown : ArrowUp
  return (
    <HeadCell
      aria-sort={active ? (sort.down ? 'descending' : 'ascending') : 'none'}
      className={cx(right && 'text-right', from === 'lg' && 'hidden lg:table-cell', from === 'xl' && 'hidden xl:table-cell')}
    >
      <button
        type="button"
        className={cx(
          'inline-flex items-center gap-1 rounded-small py-0.5 whitespace-nowrap hover:text-ink',
          right && 'flex-row-reverse',
        )}
        // Losses are looked for from the lowest, dates from the newest.
        onClick={() => onSort({ key, down: active ? !sort.down : key === 'date' })}
      >
        {label}
        <Arrow className={cx('size-3', !active && 'invisible')} aria-hidden="true" />
      </button>
    </HeadCell>
  )
}

type RowProps = { readonly session: SessionSummary; readonly chosen: boolean; readonly onChoose: () => void }

function SessionRow({ session, chosen, onChoose }: RowProps) {
  const address = `/results/${encodeURIComponent(session.session_id)}`
  return (
    <Row className="hover:bg-sunken">
      <Cell className="pr-0">
        {session.problem == null ? <ChooseRun session={session} chosen={chosen} onChoose={onChoose} /> : null}
      </Cell>
      <Cell className="w-full max-w-0">
        <span className="flex min-w-0 items-center gap-2">
          {session.problem == null ? (
            <Link to={address} className="min-w-0 truncate rounded-small font-medium hover:text-accent hover:underline">
              {sessionName(session)}
            </Link>
          ) : (
            <span className="min-w-0 truncate font-medium">{sessionName(session)}</span>
          )}
          {session.pinned ? <Pin className="size-3.5 shrink-0 text-accent" aria-label="Pinned" /> : null}
          {session.tags.map((tag) => (
            <Badge key={tag}>{tag}</Badge>
          ))}
          {session.legacy ? <Badge title="Recorded by the reference app">legacy</Badge> : null}
        </span>
        <span className={cx('block truncate text-small', session.problem == null ? 'text-soft' : 'whitespace-normal text-bad')}>
          {session.problem ?? [session.model_name ?? UNKNOWN, methodOf(session)].join(' · ')}
        </span>
      </Cell>
      <Cell>{stateOf(session)}</Cell>
      <Cell className="hidden text-right whitespace-nowrap lg:table-cell">
        <span className="inline-flex items-center gap-3">
          <Sparkline curve={session.curve ?? []} />
          {loss(session.final_train_loss)}
        </span>
      </Cell>
      <Cell className="hidden text-right whitespace-nowrap xl:table-cell">{loss(session.final_val_loss)}</Cell>
      <Cell className="text-right font-medium whitespace-nowrap" title={metricWords(session.best_metric)}>
        {bestWords(session.best_metric, session.best_value)}
        {session.best_metric && session.best_metric !== 'val_loss' ? (
          <span className="block text-tiny font-normal text-faint">{metricWords(session.best_metric)}</span>
        ) : null}
      </Cell>
      <Cell className="hidden text-right whitespace-nowrap xl:table-cell">
        {count(session.steps_completed)}
        {session.total_steps === null ? null : <span className="text-faint"> / {count(session.total_steps)}</span>}
      </Cell>
      <Cell className="text-right whitespace-nowrap">{duration(session.duration_seconds)}</Cell>
      <Cell className="text-right whitespace-nowrap text-soft">{moment(session.timestamp)}</Cell>
      <Cell className="text-right whitespace-nowrap">
        <SessionActions session={session} />
      </Cell>
    </Row>
  )
}

function stateOf(session: SessionSummary) {
  if (session.problem != null) return <Badge tone="bad">Damaged</Badge>
  return session.training_state ? <StateBadge state={session.training_state} /> : UNKNOWN
}
