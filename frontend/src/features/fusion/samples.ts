/** What a server says of fusions, for the tests. */
import type { Estimate, FusionAdapter, FusionCheck, FusionResultAnswer, FusionStatus, ProvenTarget } from '@/api/generated'

export function adapterOf(name: string, changes: Partial<FusionAdapter> = {}): FusionAdapter {
  return {
    name,
    base: 'qwen',
    method: 'sft',
    type: 'lora',
    rank: 8,
    scale: 2,
    keys: ['self_attn.q_proj'],
    num_layers: 24,
    size_bytes: 5_000_000,
    created: '2026-11-20T10:00:00Z',
    tags: [],
    problem: null,
    ...changes,
  }
}

export const ADAPTERS: readonly FusionAdapter[] = [
  adapterOf('law'),
  adapterOf('medicine', { rank: 4 }),
  adapterOf('poems', { rank: 16 }),
  adapterOf('turned', { type: 'dora', problem: 'turned is a DoRA adapter: it also scales whole columns of the base.' }),
  adapterOf('llama_law', { base: 'llama' }),
  adapterOf('llama_poems', { base: 'llama' }),
]

export const CHECK: FusionCheck = {
  compatible: true,
  num_adapters: 2,
  num_parameters: 1_500_000,
  base: 'qwen',
  rank: 12,
  output_name: 'fused_law_medicine',
  message: 'These 2 adapters of qwen can be merged.',
  warnings: [],
}

export function estimate(mean: number, reach = 0.1): Estimate {
  return { mean, low: mean - reach, high: mean + reach, rows: 48 }
}

/** Loss on all rows, then on those of law and medicine, each with its difference from the result. */
function target(label: string, all: number, own: readonly [number, number], difference: readonly [Estimate, Estimate]): ProvenTarget {
  return {
    label,
    loss: estimate(all),
    perplexity: estimate(Math.exp(all)),
    exact_match: estimate(0.25, 0.05),
    sets: ['law', 'medicine'].map((name, at) => ({ name, loss: own[at] ?? null, difference: difference[at] ?? null })),
    answers: 48,
    changed: label === 'base' ? 0 : 30,
  }
}

export const RESULT: FusionResultAnswer = {
  fusion_info: {
    adapter_names: ['law', 'medicine'],
    base: 'qwen',
    method: 'weighted',
    weights: [0.7, 0.3],
    density: null,
    output_name: 'both',
    output_path: '/data/adapters/both',
    output_rank: 12,
    parameters: 1_500_000,
    relative_error: 0,
    worst_matrix: null,
    worst_error: 0,
    seconds: 42,
    timestamp: '2026-11-21T10:00:00Z',
  },
  sources: [
    { name: 'law', checkpoint: 'best', weight: 0.7, rank: 8, scale: 2, matrices: 168, layers: 24, norm: 3.2, cosine: 0.91 },
    { name: 'medicine', checkpoint: '1200', weight: 0.3, rank: 4, scale: 1, matrices: 84, layers: 12, norm: 1.1, cosine: -0.04 },
  ],
  proof: {
    rows: 48,
    sets: [
      { name: 'law', path: '/data/sessions/a/data/valid.jsonl', rows: 24, seen: 0 },
      { name: 'medicine', path: '/data/sessions/b/data/valid.jsonl', rows: 24, seen: 2 },
    ],
    targets: [
      target('base', 2.4, [2.5, 2.3], [estimate(-1.1), estimate(-0.7)]),
      target('law', 1.8, [1.3, 2.3], [estimate(0.1, 0.15), estimate(-0.7)]),
      target('medicine', 1.75, [2.4, 1.1], [estimate(-1), estimate(0.5, 0.2)]),
      target('both', 1.5, [1.4, 1.6], [estimate(0, 0), estimate(0, 0)]),
    ],
  },
  unproven: null,
  warnings: [],
}

export const IDLE: FusionStatus = { is_running: false, progress: 0, status: 'idle', error: null, current_step: null, result: null, has_result: false }

export const RUNNING: FusionStatus = {
  ...IDLE,
  is_running: true,
  progress: 10,
  status: 'running',
  current_step: 'merging',
  job_id: 'j1',
  output_name: 'both',
  adapter_names: ['law', 'medicine'],
}

export const COMPLETED: FusionStatus = {
  ...RUNNING,
  is_running: false,
  progress: 100,
  status: 'completed',
  current_step: 'done',
  result: RESULT,
  has_result: true,
}
