/** Before the start: whether these can be merged, into what, and what stands in the way. */
import type { FusionCheck } from '@/api/generated'
import type { Problem } from '@/api/errors'
import { count, parameters, UNKNOWN } from '@/lib/format'
import { Badge } from '@/ui/Badge'
import { Button } from '@/ui/controls/Button'
import { Card } from '@/ui/Card'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { Notice } from '@/ui/feedback/Notice'
import { FEWEST } from './fusionForm'

type Props = {
  readonly chosen: number
  readonly check: FusionCheck | undefined
  /** The check could not be asked for. */
  readonly unchecked: Problem | null
  readonly outputName: string
  readonly outputRank: string
  readonly problems: Readonly<Record<string, string>>
  readonly live: boolean
  readonly refused: Problem | null
  readonly starting: boolean
  readonly onStart: () => void
}

export function FusionReview(props: Props) {
  const { chosen, check, unchecked, problems, live, refused, starting } = props
  const wrong = Object.keys(problems).length > 0
  const ready = check?.compatible === true && !wrong && !live
  return (
    <Card
      title={
        <span className="flex items-center justify-between gap-2">
          Review
          <StateBadge chosen={chosen} check={check} ready={ready} />
        </span>
      }
      bodyClassName="flex flex-col gap-3"
    >
      <dl className="flex flex-col gap-1.5">
        <Fact name="Base">{check?.base ?? UNKNOWN}</Fact>
        <Fact name="Result">{props.outputName.trim() || (check?.output_name ?? UNKNOWN)}</Fact>
        <Fact name="Rank">{props.outputRank.trim() || count(check?.rank)}</Fact>
        <Fact name="Parameters at full rank">{parameters(check?.num_parameters)}</Fact>
      </dl>
      {chosen < FEWEST ? <p className="text-small text-soft">{chosen === 0 ? 'Choose two adapters of one base.' : 'Choose one more adapter.'}</p> : null}
      {check && !check.compatible ? <ErrorPanel message={check.error ?? 'These adapters can’t be merged.'} hint={check.hint} /> : null}
      {unchecked ? <ErrorPanel message={unchecked.detail} hint={unchecked.hint} /> : null}
      {check?.warnings?.map((warning) => (
        <Notice key={warning} tone="warn">
          {warning}
        </Notice>
      ))}
      {wrong ? <p className="text-small text-soft">Correct the fields that are marked first.</p> : null}
      {live ? <Notice>Training in progress. Start the fusion when it has ended: both need the memory.</Notice> : null}
      {refused ? <ErrorPanel message={refused.detail} hint={refused.hint} /> : null}
      <Button kind="primary" size="large" className="w-full" disabled={!ready} busy={starting && 'Starting…'} onClick={props.onStart}>
        Start fusion
      </Button>
      <p className="text-tiny text-faint">
        The result is a new adapter; the chosen ones stay as they are. Base, adapters and result are then measured on the same held-out rows.
      </p>
    </Card>
  )
}

type FactProps = { readonly name: string; readonly children: string }

function Fact({ name, children }: FactProps) {
  return (
    <div className="flex items-baseline justify-between gap-3">
      <dt className="text-soft">{name}</dt>
      <dd className="min-w-0 text-right font-medium break-all">{children}</dd>
    </div>
  )
}

type BadgeProps = { readonly chosen: number; readonly check: FusionCheck | undefined; readonly ready: boolean }

function StateBadge({ chosen, check, ready }: BadgeProps) {
  if (chosen < FEWEST) return <Badge>Not enough chosen</Badge>
  if (!check) return <Badge>Checking…</Badge>
  if (!check.compatible) return <Badge tone="bad">Can’t be merged</Badge>
  return ready ? <Badge tone="good">Ready</Badge> : <Badge tone="warn">Not ready</Badge>
}
