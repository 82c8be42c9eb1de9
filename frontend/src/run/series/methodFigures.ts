/** The figures of rewards and of preferences, and what each means. Pure, for a live run and a stored one. */
import { compact, count, percent } from '@/lib/format'
import type { RunKind } from './runKind'

export type Figure = { readonly label: string; readonly value: string; readonly note: string }
/** A number of the run by its name; null where it is unknown. */
export type Numbers = (name: string) => number | null

const share = (value: number | null, digits = 0) => percent(value === null ? null : value * 100, digits)

export function methodFigures(kind: RunKind, of: Numbers): readonly Figure[] {
  switch (kind) {
    case 'loss':
      return []
    case 'reward':
      return rewardFigures(of)
    case 'preference':
      return preferenceFigures(of)
  }
}

export function rewardFigures(of: Numbers): readonly Figure[] {
  return [
    { label: 'Reward', value: compact(of('avg_reward')), note: spread(of('reward_std')) },
    { label: 'Validation reward', value: compact(of('val_reward')), note: spread(of('val_reward_std')) },
    { label: 'Group reward', value: compact(of('group_reward')), note: spread(of('group_reward_std'), 'within a group') },
    { label: 'Success', value: share(of('success_rate')), note: held(share, of('val_success_rate')) },
    { label: 'KL', value: compact(of('kl')), note: held(compact, of('val_kl')) || 'to the reference' },
    { label: 'Entropy', value: compact(of('entropy')), note: of('entropy') === null ? '' : 'nats per token' },
    { label: 'Clip ratio', value: share(of('clip_ratio'), 1), note: clipWords(of) },
    { label: 'Completion length', value: compact(of('completion_length_mean')), note: lengthWords(of) },
    { label: 'At the limit', value: share(of('hit_max_tokens_ratio')), note: 'completions cut off' },
  ]
}

export function preferenceFigures(of: Numbers): readonly Figure[] {
  return [
    { label: 'Accuracy', value: share(of('accuracy')), note: 'chosen preferred' },
    { label: 'Validation accuracy', value: share(of('val_accuracy')), note: 'held-out pairs' },
    { label: 'Margin', value: compact(of('margin')), note: held(compact, of('val_margin')) },
    { label: 'Chosen reward', value: compact(of('rewards_chosen')), note: held(compact, of('val_rewards_chosen')) },
    { label: 'Rejected reward', value: compact(of('rewards_rejected')), note: held(compact, of('val_rewards_rejected')) },
  ]
}

/** Of the test set, which is measured once at the end of a run. */
export function perplexityWords(value: number | null): string {
  return value === null ? '' : `perplexity ${compact(value)}`
}

function spread(value: number | null, where = ''): string {
  return value === null ? '' : `± ${compact(value)} ${where}`.trim()
}

function held(words: (value: number | null) => string, value: number | null): string {
  return value === null ? '' : `${words(value)} held out`
}

function clipWords(of: Numbers): string {
  const low = of('clip_ratio_low')
  const high = of('clip_ratio_high')
  return low === null || high === null ? 'of the ratios' : `low ${share(low, 1)} · high ${share(high, 1)}`
}

function lengthWords(of: Numbers): string {
  const least = of('completion_length_min')
  const most = of('completion_length_max')
  return least === null || most === null ? 'tokens' : `${count(least)}–${count(most)} tokens`
}
