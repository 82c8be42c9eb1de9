/** Adapters by base, with a tick each. What can't be merged, or not with what is chosen, says why. */
import { useId } from 'react'
import type { FusionAdapter } from '@/api/generated'
import { bytes, compact, moment } from '@/lib/format'
import { cx } from '@/lib/cx'
import { Badge } from '@/ui/Badge'
import { Card } from '@/ui/Card'
import { MOST, type Group } from './fusionForm'

type Props = {
  readonly groups: readonly Group[]
  readonly chosen: readonly string[]
  /** Without it the list is only shown: there is nothing to choose between. */
  readonly onChoose?: (names: readonly string[]) => void
}

const ALONE: Reason = { text: 'No other adapter of this base can be merged with it.', shown: true }

export function AdapterChoice({ groups, chosen, onChoose }: Props) {
  const first = groups.find(({ adapters }) => adapters.some(({ name }) => name === chosen[0]))
  const toggle = (name: string, on: boolean) => onChoose?.(on ? [...chosen, name] : chosen.filter((each) => each !== name))
  return (
    <Card title="Adapters" subtitle={onChoose ? `${chosen.length} of 2 to ${MOST} chosen, all of one base` : undefined} bodyClassName="flex flex-col gap-4">
      {groups.map((group) => {
        const other = first !== undefined && first.base !== group.base
        return (
          <section key={group.base ?? ''} aria-label={group.base ?? 'Base not known'}>
            <h3 className="flex flex-wrap items-center gap-x-2 border-b border-line pb-1.5 text-small font-semibold">
              <span className="break-all">{group.base ?? 'Base not known'}</span>
              {other ? <span className="font-normal text-soft">different base</span> : null}
            </h3>
            <ul>
              {group.adapters.map((adapter) => (
                <AdapterRow
                  key={adapter.name}
                  adapter={adapter}
                  chosen={chosen.includes(adapter.name)}
                  reason={reasonFor(adapter, other, chosen.length) ?? (onChoose ? null : ALONE)}
                  onChoose={(on) => toggle(adapter.name, on)}
                />
              ))}
            </ul>
          </section>
        )
      })}
    </Card>
  )
}

type Reason = { readonly text: string; readonly shown: boolean }

/** Why it can't be chosen now; what the group or the count says already is not shown at each row. */
function reasonFor({ problem }: FusionAdapter, other: boolean, count: number): Reason | null {
  if (problem !== null) return { text: problem, shown: true }
  if (other) return { text: 'Its base differs from that of the chosen adapters.', shown: false }
  return count >= MOST ? { text: `${MOST} are chosen, the maximum.`, shown: false } : null
}

type RowProps = {
  readonly adapter: FusionAdapter
  readonly chosen: boolean
  readonly reason: Reason | null
  readonly onChoose: (on: boolean) => void
}

function AdapterRow({ adapter, chosen, reason, onChoose }: RowProps) {
  const id = useId()
  const off = reason !== null && !chosen
  return (
    <li className="border-b border-line last:border-0">
      <div className="flex min-w-0 flex-wrap items-center gap-x-2.5 gap-y-1 py-2">
        <input
          id={id}
          type="checkbox"
          checked={chosen}
          disabled={off}
          title={off ? reason.text : undefined}
          aria-describedby={`${id}-note`}
          onChange={(event) => onChoose(event.target.checked)}
          className="size-4 shrink-0 accent-accent"
        />
        <label htmlFor={id} className={cx('min-w-0 flex-1 basis-40 font-medium break-all', off && 'font-normal text-soft')}>
          {adapter.name}
        </label>
        {adapter.tags.map((tag) => (
          <Badge key={tag}>{tag}</Badge>
        ))}
        <span className="text-small text-faint max-md:w-full max-md:pl-6.5">{factsOf(adapter)}</span>
        {reason ? (
          <p id={`${id}-note`} className={cx('w-full pl-6.5 text-small text-soft', !reason.shown && 'sr-only')}>
            {reason.text}
          </p>
        ) : null}
      </div>
    </li>
  )
}

function factsOf({ type, method, rank, scale, num_layers: layers, size_bytes: size, created }: FusionAdapter): string {
  const facts = [
    type === 'dora' ? 'DoRA' : type === 'full' ? 'full fine-tune' : null,
    method === null ? null : method.replaceAll('_', ' ').toUpperCase(),
    rank === null ? null : `rank ${rank}`,
    scale === null ? null : `scale ${compact(scale)}`,
    layers === null ? null : `${layers} layers`,
    bytes(size),
    created === null ? null : moment(created),
  ]
  return facts.filter(Boolean).join(' · ')
}
