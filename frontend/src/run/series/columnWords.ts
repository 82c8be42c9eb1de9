/** The names of the numbers that rewards and preferences add, as people read them. */

const WORDS: Readonly<Record<string, string>> = {
  grad_norm: 'Gradient norm',
  avg_reward: 'Reward',
  reward_std: 'Reward ±',
  group_reward: 'Group reward',
  group_reward_std: 'Group reward ±',
  kl: 'KL',
  kl_saturation: 'KL saturation',
  entropy: 'Entropy',
  success_rate: 'Success',
  clip_ratio: 'Clipped',
  clip_ratio_low: 'Clipped low',
  clip_ratio_high: 'Clipped high',
  completion_length_mean: 'Length',
  completion_length_min: 'Shortest',
  completion_length_max: 'Longest',
  hit_max_tokens_ratio: 'At the limit',
  rewards_chosen: 'Chosen reward',
  rewards_rejected: 'Rejected reward',
  margin: 'Margin',
  accuracy: 'Accuracy',
  val_reward: 'Validation reward',
  val_reward_std: 'Validation reward ±',
  val_success_rate: 'Validation success',
  val_kl: 'Validation KL',
  val_completion_length: 'Validation length',
  val_accuracy: 'Validation accuracy',
  val_margin: 'Validation margin',
  val_rewards_chosen: 'Validation chosen',
  val_rewards_rejected: 'Validation rejected',
}

/** "reward/token_f1" → "token_f1"; a column of a newer engine keeps its name. */
export function columnWords(column: string): string {
  if (column.startsWith('val_reward/')) return `Validation ${column.slice('val_reward/'.length)}`
  if (column.startsWith('reward/')) return column.slice('reward/'.length)
  return WORDS[column] ?? column.replaceAll('_', ' ')
}
