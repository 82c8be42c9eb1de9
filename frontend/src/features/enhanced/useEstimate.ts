/** What the method needs of this machine with what the form holds, even before there is any data. */
import { useMemo } from 'react'
import { useEstimateResourcesQuery, type EstimateRequest, type Estimation } from '@/api/generated'
import type { StartForm } from '@/form/useStartForm'
import { useDebounced } from '@/lib/useDebounced'

const SETTLE_MS = 500

/** What the estimate asks for; the rest of the form changes nothing of it. */
const ASKED: ReadonlySet<string> = new Set<keyof EstimateRequest>([
  'model_path',
  'batch_size',
  'grad_accumulation_steps',
  'grad_checkpoint',
  'group_size',
  'max_completion_length',
  'max_seq_length',
  'iterations',
  'epochs',
  'steps_per_eval',
  'val_batches',
  'updates_per_rollout',
  'beta',
  'fine_tune_type',
  'lora_rank',
  'lora_num_layers',
  'lora_keys',
  'optimizer',
  'quantize_base',
  'reference_model_path',
  'reward_functions',
])

/** `rows` of the training data, where they are known. */
export function useEstimate({ partial }: StartForm, method: string | null, rows: number | null): Estimation | null {
  const named = Object.fromEntries(Object.entries(partial).filter(([name]) => ASKED.has(name)))
  const question = method === null || !named['model_path'] ? null : JSON.stringify({ ...named, method, dataset_size: rows })
  const settled = useDebounced(question, SETTLE_MS)
  const asked = useMemo(() => (settled ? (JSON.parse(settled) as EstimateRequest) : null), [settled])
  const { currentData } = useEstimateResourcesQuery({ estimateRequest: asked ?? UNASKED }, { skip: asked === null })
  return currentData?.estimation ?? null
}

const UNASKED: EstimateRequest = { method: 'sft', model_path: '' }
