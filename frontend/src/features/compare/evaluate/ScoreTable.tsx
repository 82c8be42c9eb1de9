/** Each metric: base, adapter, and how far apart they are. A table on wide screens, cards on narrow ones. */
import type { EvaluationResult, MetricResult } from '@/api/generated'
import { UNKNOWN } from '@/lib/format'
import { cx } from '@/lib/cx'
import { Badge } from '@/ui/Badge'
import { Cell, HeadCell, Row, Table } from '@/ui/Table'
import { effectWords, measuredOf, scoreWords, spanOf, VERDICTS, verdictOf, type Verdict } from './verdict'

export function ScoreTable({ result }: { readonly result: EvaluationResult }) {
  const labels = result.targets.map((target) => target.label)
  const measured = measuredOf(result.metrics)
  const left = result.metrics.filter((metric) => !measured.includes(metric))
  return (
    <>
      <Table caption="Scores" className="hidden md:block">
        <thead>
          <Row>
            <HeadCell className="pl-0">Metric</HeadCell>
            {labels.map((label) => (
              <HeadCell key={label} className="text-right">
                {label}
              </HeadCell>
            ))}
            {labels.length > 1 ? (
              <>
                <HeadCell>
                  <span className="sr-only">Interval</span>
                </HeadCell>
                <HeadCell className="text-right">Difference, 95 % interval</HeadCell>
                <HeadCell className="pr-0">
                  <span className="sr-only">Verdict</span>
                </HeadCell>
              </>
            ) : null}
          </Row>
        </thead>
        <tbody>
          {measured.map((metric) => (
            <ScoreRow key={metric.id} metric={metric} paired={labels.length > 1} />
          ))}
        </tbody>
      </Table>
      <ul className="flex flex-col gap-3 md:hidden">
        {measured.map((metric) => (
          <ScoreItem key={metric.id} metric={metric} labels={labels} />
        ))}
      </ul>
      {left.length > 0 ? (
        <p className="text-small text-faint">Does not apply to these rows: {left.map((metric) => metric.name).join(', ')}.</p>
      ) : null}
    </>
  )
}

type RowProps = { readonly metric: MetricResult; readonly paired: boolean }

function ScoreRow({ metric, paired }: RowProps) {
  const verdict = verdictOf(metric)
  return (
    <Row>
      <th scope="row" className="py-2 pr-3 text-left font-medium" title={`${metric.help}\n${metric.source}`}>
        {metric.name}
        <span className="block text-tiny font-normal text-faint">{directionWords(metric)}</span>
      </th>
      {metric.values.map((value, at) => (
        // Columns have no other name than their place.
        <Cell key={at} className={cx('text-right', at > 0 ? 'font-semibold' : 'text-soft')}>
          {value === null ? UNKNOWN : scoreWords(metric, value.mean)}
        </Cell>
      ))}
      {paired ? (
        <>
          <Cell className="w-2/5">
            <IntervalBar metric={metric} verdict={verdict} />
          </Cell>
          <Cell className="text-right whitespace-nowrap">{effectWords(metric)}</Cell>
          <Cell className="pr-0 text-right">
            <VerdictBadge verdict={verdict} />
          </Cell>
        </>
      ) : null}
    </Row>
  )
}

type ItemProps = { readonly metric: MetricResult; readonly labels: readonly string[] }

function ScoreItem({ metric, labels }: ItemProps) {
  const verdict = verdictOf(metric)
  return (
    <li className="flex flex-col gap-2 border-b border-line pb-3 last:border-0 last:pb-0">
      <p className="flex items-center justify-between gap-2">
        <span className="font-medium">{metric.name}</span>
        {labels.length > 1 ? <VerdictBadge verdict={verdict} /> : null}
      </p>
      <dl className="flex flex-wrap gap-x-5 gap-y-1 text-small">
        {metric.values.map((value, at) => (
          <div key={labels[at] ?? at} className="flex gap-1.5">
            <dt className="text-soft">{labels[at]}</dt>
            <dd className={at > 0 ? 'font-semibold' : ''}>{value === null ? UNKNOWN : scoreWords(metric, value.mean)}</dd>
          </div>
        ))}
        {labels.length > 1 ? (
          <div className="flex gap-1.5">
            <dt className="text-soft">difference</dt>
            <dd>{effectWords(metric)}</dd>
          </div>
        ) : null}
      </dl>
      {labels.length > 1 ? <IntervalBar metric={metric} verdict={verdict} /> : null}
    </li>
  )
}

export function VerdictBadge({ verdict }: { readonly verdict: Verdict }) {
  const { word, tone } = VERDICTS[verdict]
  return <Badge tone={tone}>{word}</Badge>
}

const FILLS: Readonly<Record<Verdict, string>> = {
  better: 'bg-good',
  worse: 'bg-bad',
  differs: 'bg-accent',
  same: 'bg-faint',
  unsure: 'bg-faint',
  unknown: 'bg-faint',
}

type BarProps = { readonly metric: MetricResult; readonly verdict: Verdict }

/** The words beside it say the same, so readers pass it over. */
function IntervalBar({ metric, verdict }: BarProps) {
  const span = spanOf(metric)
  return (
    <div aria-hidden="true" className="relative h-4 min-w-32">
      <span className="absolute inset-x-0 top-1.5 h-1 rounded-full bg-track" />
      <span className="absolute top-0 left-1/2 h-4 w-px bg-faint" />
      {span ? (
        <span
          className={cx('absolute top-1.25 h-1.5 min-w-1 rounded-full', FILLS[verdict])}
          style={{ left: `${span.from * 100}%`, width: `${(span.to - span.from) * 100}%` }}
        />
      ) : null}
    </div>
  )
}

export function directionWords({ better }: MetricResult): string {
  switch (better) {
    case 'higher':
      return 'higher is better'
    case 'lower':
      return 'lower is better'
    case 'neither':
      return 'no better direction'
  }
}
