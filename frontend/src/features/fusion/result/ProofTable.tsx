/** Base, each source and the result on the same rows: a table on wide screens, a list on narrow ones. */
import type { Estimate, Proof, ProvenTarget } from '@/api/generated'
import { compact, count, loss, percent, UNKNOWN } from '@/lib/format'
import { cx } from '@/lib/cx'
import { Badge } from '@/ui/Badge'
import { Cell, HeadCell, Row, Table } from '@/ui/Table'
import { ownerWords, placeOn, rangeWords, scaleOf, smallest, type Scale } from './proof'

type Side = {
  readonly target: ProvenTarget
  readonly role: 'base' | 'source' | 'result'
  readonly best: boolean
  /** Of each set of rows, whether it has the lowest loss there. */
  readonly bestOf: readonly boolean[]
}

export function ProofTable({ proof }: { readonly proof: Proof }) {
  const sides = sidesOf(proof)
  const scale = scaleOf(proof.targets.map((target) => target.loss))
  // With one set its loss is that of all rows.
  const sets = proof.sets.length > 1 ? proof.sets : []
  return (
    <>
      <Table caption="Proof" className="hidden md:block">
        <thead>
          <Row className="align-bottom">
            <HeadCell className="pl-2">Model</HeadCell>
            <HeadCell className="text-right">Loss per token</HeadCell>
            <HeadCell>95 % interval</HeadCell>
            <HeadCell className="text-right">Perplexity</HeadCell>
            <HeadCell className="text-right">Exact match</HeadCell>
            <HeadCell className="text-right">Answers changed</HeadCell>
            {sets.map((set) => (
              <HeadCell key={set.name} className="text-right">
                Loss on rows of {ownerWords(set)}
                <span className="block text-tiny font-normal text-faint">{setWords(set.rows, set.seen)}</span>
              </HeadCell>
            ))}
          </Row>
        </thead>
        <tbody>
          {sides.map((side) => (
            <Row key={side.target.label} className={side.role === 'result' ? 'bg-accent-wash' : undefined}>
              <th scope="row" className="py-2 pr-3 pl-2 text-left font-medium">
                <SideName side={side} />
              </th>
              <Cell className={cx('text-right', side.best && 'font-semibold')}>{loss(side.target.loss?.mean)}</Cell>
              <Cell className="min-w-40">
                <Interval estimate={side.target.loss} scale={scale} best={side.best} />
              </Cell>
              <Cell className="text-right">{compact(side.target.perplexity?.mean)}</Cell>
              <Cell className="text-right">{share(side.target.exact_match)}</Cell>
              <Cell className="text-right whitespace-nowrap">{changedWords(side)}</Cell>
              {sets.map((set, at) => (
                <Cell key={set.name} className={cx('text-right', side.bestOf[at] && 'font-semibold')}>
                  {loss(side.target.sets[at]?.loss)}
                  {side.bestOf[at] ? <span className="block text-tiny font-medium text-good">best</span> : null}
                </Cell>
              ))}
            </Row>
          ))}
        </tbody>
      </Table>
      <ul className="flex flex-col gap-3 md:hidden" aria-label="Proof">
        {sides.map((side) => (
          <li key={side.target.label} className="flex flex-col gap-2 border-b border-line pb-3 last:border-0 last:pb-0">
            <p className="font-medium">
              <SideName side={side} />
            </p>
            <Interval estimate={side.target.loss} scale={scale} best={side.best} />
            <dl className="grid grid-cols-2 gap-x-4 gap-y-1 text-small">
              <Fact name="Loss per token">{loss(side.target.loss?.mean)}</Fact>
              <Fact name="Perplexity">{compact(side.target.perplexity?.mean)}</Fact>
              <Fact name="Exact match">{share(side.target.exact_match)}</Fact>
              <Fact name="Answers changed">{changedWords(side)}</Fact>
              {sets.map((set, at) => (
                <Fact key={set.name} name={`Loss on rows of ${ownerWords(set)}`}>
                  {`${loss(side.target.sets[at]?.loss)}${side.bestOf[at] ? ' · best' : ''}`}
                </Fact>
              ))}
            </dl>
          </li>
        ))}
      </ul>
    </>
  )
}

function sidesOf({ targets, sets }: Proof): readonly Side[] {
  const best = smallest(targets.map((target) => target.loss?.mean))
  const bestOf = sets.map((_, at) => smallest(targets.map((target) => target.sets[at]?.loss)))
  return targets.map((target, place) => ({
    target,
    role: place === 0 ? 'base' : place === targets.length - 1 ? 'result' : 'source',
    best: place === best,
    bestOf: bestOf.map((each) => each === place),
  }))
}

function SideName({ side }: { readonly side: Side }) {
  return (
    <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
      <span className="break-all">{side.target.label}</span>
      {side.role === 'result' ? <Badge tone="accent">result</Badge> : null}
      {side.best ? <Badge tone="good">best</Badge> : null}
    </span>
  )
}

type IntervalProps = { readonly estimate: Estimate | null; readonly scale: Scale | null; readonly best: boolean }

/** All sides on one scale; the words under it say the same. */
function Interval({ estimate, scale, best }: IntervalProps) {
  const low = estimate?.low ?? null
  const high = estimate?.high ?? null
  const place = (value: number) => (scale === null ? 0 : 100 * placeOn(scale, value))
  const fill = best ? 'bg-good' : 'bg-faint'
  return (
    <>
      <span aria-hidden="true" className="relative block h-3">
        <span className="absolute inset-x-0 top-1 h-1 rounded-full bg-track" />
        {low !== null && high !== null ? (
          <span
            className={cx('absolute top-1 h-1 min-w-0.5 rounded-full', fill)}
            style={{ left: `${place(low)}%`, width: `${place(high) - place(low)}%` }}
          />
        ) : null}
        {estimate ? (
          <span
            className={cx('absolute top-0 size-3 -translate-x-1/2 rounded-full border-2 border-card', fill)}
            style={{ left: `${place(estimate.mean)}%` }}
          />
        ) : null}
      </span>
      <span className="block text-tiny text-soft tabular-nums">{rangeWords(estimate) ?? UNKNOWN}</span>
    </>
  )
}

type FactProps = { readonly name: string; readonly children: string }

function Fact({ name, children }: FactProps) {
  return (
    <div className="min-w-0">
      <dt className="truncate text-soft">{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function share(estimate: Estimate | null): string {
  return estimate === null ? UNKNOWN : percent(100 * estimate.mean)
}

function changedWords({ role, target }: Side): string {
  if (role === 'base') return UNKNOWN
  return target.answers === 0 ? UNKNOWN : `${count(target.changed)} of ${count(target.answers)}`
}

function setWords(rows: number, seen: number | null): string {
  return [`${count(rows)} rows`, seen ? `${count(seen)} seen in training` : null].filter(Boolean).join(' · ')
}
