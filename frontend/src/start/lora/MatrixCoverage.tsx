/** Matrices × layers: what gets an adapter, in the colour of its group. */
import { memo } from 'react'
import type { LoraKey, LoraTargets } from '@/api/generated'
import { byGroup, coveredBlocks, coveredLayers, GROUP_NAMES, trainableWords, type Extent } from './lora'
import { cx } from '@/lib/cx'
import { plural } from '@/lib/format'

type Props = {
  readonly targets: LoraTargets
  readonly covered: readonly LoraKey[]
  readonly coverage: number
}

const COLOURS: Record<LoraKey['group'], string> = {
  attention: 'bg-group-attention',
  mlp: 'bg-group-mlp',
  moe: 'bg-group-moe',
  linear_attention: 'bg-group-linear',
  other: 'bg-group-other',
}

export const MatrixCoverage = memo(function MatrixCoverage({ targets, covered, coverage }: Props) {
  return (
    <div role="img" aria-label={inWords({ targets, covered, coverage })} className="flex min-w-0 flex-col gap-[5px]">
      {targets.keys.map((key) => (
        <div key={key.name} className="flex items-center gap-3">
          <span className="w-24 shrink-0 truncate text-tiny text-soft" title={key.name}>
            {shortName(key.name)}
          </span>
          <Blocks targets={targets} own={key} covered={covered.includes(key) ? coveredBlocks(targets, key, coverage) : []} />
        </div>
      ))}
    </div>
  )
})

type BlocksProps = { readonly targets: LoraTargets; readonly own: LoraKey; readonly covered: readonly number[] }

/** One cell per block: coloured where it gets an adapter, empty where the block has no such matrix. */
function Blocks({ targets, own, covered }: BlocksProps) {
  const has = new Set(own.layers)
  const gets = new Set(covered)
  return (
    <span className={cx('flex h-2 min-w-0 flex-1', targets.num_layers > 48 ? 'gap-px' : 'gap-0.5')}>
      {Array.from({ length: targets.num_layers }, (_, layer) => (
        <span
          key={layer}
          className={cx(
            'h-full min-w-0 flex-1 rounded-[2px]',
            gets.has(layer) ? COLOURS[own.group] : has.has(layer) ? 'bg-track' : 'bg-transparent',
          )}
        />
      ))}
    </span>
  )
}

type LegendProps = {
  readonly targets: LoraTargets | null
  readonly covered: readonly LoraKey[]
  readonly extent: Extent | null
}

export function CoverageLegend({ targets, covered, extent }: LegendProps) {
  return (
    <ul className="flex flex-wrap gap-x-3 gap-y-1 text-tiny text-soft">
      {[...byGroup(covered)].map(([group, keys]) => {
        const figure = targets ? trainableWords(targets, keys, extent) : null
        return (
          <li key={group} className="flex items-center gap-1">
            <span className={cx('size-2 rounded-[2px]', COLOURS[group])} aria-hidden="true" />
            {GROUP_NAMES[group]} {keys.length}
            {figure ? ` · ${figure}` : ''}
          </li>
        )
      })}
    </ul>
  )
}

/** The picture as a sentence. */
export function inWords({ targets, covered, coverage }: Props): string {
  const layers = coveredLayers(targets, coverage)
  const where = layers === targets.num_layers ? `all ${plural(layers, 'layer')}` : `the last ${layers} of ${plural(targets.num_layers, 'layer')}`
  const what = [...byGroup(covered)].map(([group, keys]) => `${keys.length} ${GROUP_NAMES[group]}`)
  if (what.length === 0) return `No matrix of ${plural(targets.keys.length, 'matrix', 'matrices')} is covered.`
  const total = plural(covered.length, 'matrix', 'matrices')
  return `${total} (${what.join(', ')}) in ${where}: ${covered.map((key) => key.name).join(', ')}.`
}

/** self_attn.q_proj → q_proj; experts keep their last two parts. */
function shortName(name: string): string {
  const parts = name.split('.')
  return parts.slice(parts.includes('switch_mlp') || parts.includes('shared_expert') ? -2 : -1).join('.')
}
