/** What the method needs of this machine with what the form holds, even before there is any data. */
import { useMemo } from 'react'
import { useEstimateResourcesQuery, type EstimateRequest, type Estimation } from '@/api/generated'
import type { StartForm } from '@/start/fields/useStartForm'
import { useDebounced } from '@/lib/useDebounced'

const SETTLE_MS = 500

/** What the estimate asks for, all of it; the rest of the form changes nothing of it. */
const ASKED: Readonly<Record<Exclude<keyof EstimateRequest, 'method' | 'dataset_size'>, true>> = {
  model_path: true,
  batch_size: true,
  grad_accumulation_steps: true,
  grad_checkpoint: true,
  group_size: true,
  max_completion_length: true,
  max_seq_length: true,
  iterations: true,
  epochs: true,
  steps_per_eval: true,
  val_batches: true,
  updates_per_rollout: true,
  klpo_kl_estimator: true,
  klpo_mc_samples: true,
  beta: true,
  fine_tune_type: true,
  lora_rank: true,
  lora_num_layers: true,
  lora_keys: true,
  optimizer: true,
  quantize_base: true,
  reference_model_path: true,
  reward_functions: true,
}

/** `rows` of the training data, where they are known. */
export function useEstimate({ partial }: StartForm, method: string | null, rows: number | null): Estimation | null {
  const named = Object.fromEntries(Object.entries(partial).filter(([name]) => name in ASKED))
  const question = method === null || !named['model_path'] ? null : JSON.stringify({ ...named, method, dataset_size: rows })
  const settled = useDebounced(question, SETTLE_MS)
  const asked = useMemo(() => (settled ? (JSON.parse(settled) as EstimateRequest) : null), [settled])
  const { currentData } = useEstimateResourcesQuery({ estimateRequest: asked ?? UNASKED }, { skip: asked === null })
  return currentData?.estimation ?? null
}

const UNASKED: EstimateRequest = { method: 'sft', model_path: '' }
