/** What a run learns from decides which numbers matter: a loss, rewards, or pairs of answers. */
import type { RunSeries } from './series'

export type RunKind = 'loss' | 'reward' | 'preference'

const REWARDED: ReadonlySet<string> = new Set(['grpo', 'gspo', 'dr_grpo', 'dapo', 'ppo', 'rlhf_reinforce', 'klpo'])
const PREFERRED: ReadonlySet<string> = new Set(['dpo', 'orpo', 'cpo', 'dsla', 'ftpo', 'online_dpo', 'xpo'])

/** What the run reported goes before what its method is called: a newer engine may have others. */
export function runKind(method: string | null | undefined, { train, validation }: RunSeries): RunKind {
  if (train.has('avg_reward') || validation.has('val_reward')) return 'reward'
  if (train.has('accuracy') || train.has('margin') || validation.has('val_accuracy')) return 'preference'
  if (method && REWARDED.has(method)) return 'reward'
  return method && PREFERRED.has(method) ? 'preference' : 'loss'
}
