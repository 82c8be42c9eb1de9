/** The charts that only runs by rewards or by preferences have, under the large one. */
import { useMemo } from 'react'
import { compact, percent } from '@/lib/format'
import type { RunKind } from '@/run/series/runKind'
import { rewardFunctions, type RunSeries } from '@/run/series/series'
import type { ChartGroup } from '@/ui/chart/chartTypes'
import { CurveCard, type Curve } from './CurveCard'
import { useVersion } from '@/ui/chart/useVersion'

type Props = { readonly series: RunSeries; readonly group: ChartGroup; readonly end: number | null }

const short = (value: number | null) => compact(value, 3)
const share = (value: number | null) => percent(value === null ? null : value * 100, 0)
const fineShare = (value: number | null) => percent(value === null ? null : value * 100, 1)

export function MethodCharts({ kind, ...shared }: Props & { readonly kind: RunKind }) {
  switch (kind) {
    case 'reward':
      return <RewardCharts {...shared} />
    case 'preference':
      return <PreferenceCharts {...shared} />
    case 'loss':
      return null
  }
}

/** Neighbours differ in colour and in stroke. */
const COLORS = ['group-attention', 'group-mlp', 'group-moe', 'group-linear', 'group-other'] as const
const DASHES = [undefined, [7, 4], [2, 3], [9, 3, 2, 3]] as const

const KL: readonly Curve[] = [{ column: 'kl', label: 'KL', color: 'chart-rate' }]
const LENGTH: readonly Curve[] = [
  { column: 'completion_length_mean', label: 'mean', color: 'chart-memory' },
  { column: 'completion_length_min', label: 'shortest', color: 'chart-memory', dash: [2, 4] },
  { column: 'completion_length_max', label: 'longest', color: 'chart-memory', dash: [7, 4] },
]

const SUCCESS: readonly Curve[] = [
  { column: 'success_rate', label: 'success', color: 'chart-validation' },
  { column: 'hit_max_tokens_ratio', label: 'cut off at the limit', color: 'chart-rate', dash: [7, 4] },
]
const CLIPPED: readonly Curve[] = [
  { column: 'clip_ratio_low', label: 'low', color: 'group-attention' },
  { column: 'clip_ratio_high', label: 'high', color: 'group-other', dash: [7, 4] },
]
const ENTROPY: readonly Curve[] = [{ column: 'entropy', label: 'entropy', color: 'chart-memory' }]

function RewardCharts(shared: Props) {
  useVersion(shared.series)
  const names = rewardFunctions(shared.series).join('\n')
  const functions = useMemo(() => curvesOf(names === '' ? [] : names.split('\n')), [names])
  return (
    <div className="grid gap-3 lg:grid-cols-3">
      <CurveCard
        {...shared}
        title="Reward by function"
        note="The mean score that each function gave, before its weight."
        curves={functions}
        format={short}
      />
      <CurveCard
        {...shared}
        title="KL to the reference"
        note="Distance from the reference model. Beta limits it."
        curves={KL}
        held={{ column: 'val_kl' }}
        format={short}
      />
      <CurveCard
        {...shared}
        title="Completion length"
        note="In tokens. Growing to the limit means that answers are cut off."
        curves={LENGTH}
        held={{ column: 'val_completion_length' }}
        format={short}
      />
      {hasAny(shared.series, SUCCESS) ? (
        <CurveCard
          {...shared}
          title="Success and cut off"
          note="Completions at the maximum of the chosen function, and those that were cut at the limit."
          curves={SUCCESS}
          held={{ column: 'val_success_rate' }}
          format={share}
        />
      ) : null}
      {hasAny(shared.series, CLIPPED) ? (
        <CurveCard
          {...shared}
          title="Clipped"
          note="Ratios clipped below and above. The first update of a rollout clips nothing."
          curves={CLIPPED}
          format={fineShare}
        />
      ) : null}
      {hasAny(shared.series, ENTROPY) ? (
        <CurveCard
          {...shared}
          title="Entropy"
          note="In nats per token. Falling to zero means that every completion is the same."
          curves={ENTROPY}
          format={short}
        />
      ) : null}
    </div>
  )
}

/** A card stands for what the method measures; a column is there once it has a value. */
function hasAny({ train }: RunSeries, curves: readonly Curve[]): boolean {
  return curves.some(({ column }) => train.has(column))
}

function curvesOf(functions: readonly string[]): readonly Curve[] {
  return functions.map((name, index) => {
    const dash = DASHES[index % DASHES.length]
    return {
      column: `reward/${name}`,
      label: name,
      color: COLORS[index % COLORS.length] ?? 'chart-axis',
      ...(dash ? { dash } : {}),
    }
  })
}

const ACCURACY: readonly Curve[] = [{ column: 'accuracy', label: 'train', color: 'chart-train' }]
const MARGIN: readonly Curve[] = [{ column: 'margin', label: 'train', color: 'chart-rate' }]
const PAIR: readonly Curve[] = [
  { column: 'rewards_chosen', label: 'chosen', color: 'group-mlp' },
  { column: 'rewards_rejected', label: 'rejected', color: 'group-other', dash: [7, 4] },
]

function PreferenceCharts(shared: Props) {
  useVersion(shared.series)
  return (
    <div className="grid gap-3 lg:grid-cols-3">
      <CurveCard
        {...shared}
        title="Accuracy"
        note="How often the chosen answer is preferred to the rejected one."
        curves={ACCURACY}
        held={{ column: 'val_accuracy', metric: 'val_accuracy' }}
        format={share}
      />
      <CurveCard
        {...shared}
        title="Margin"
        note="By how much the chosen answer is preferred."
        curves={MARGIN}
        held={{ column: 'val_margin' }}
        format={short}
      />
      <CurveCard
        {...shared}
        title="Chosen and rejected"
        note="Implied rewards. Both may fall; the gap between them counts."
        curves={PAIR}
        format={short}
      />
    </div>
  )
}
