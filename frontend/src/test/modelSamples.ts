/** A model and an adapter for tests of this page. */
import type { AdapterInfo, CatalogBase, ModelInfo } from '@/api/generated'

export function model(changes: Partial<ModelInfo> = {}): ModelInfo {
  return {
    name: 'demo',
    path: '/models/demo',
    model_type: 'qwen2',
    vocab_size: 10,
    num_layers: 4,
    hidden_size: 8,
    parameters: 2_700_000,
    quantization: null,
    dtype: 'float32',
    size_bytes: 10_800_000,
    chat_template: true,
    context_length: 1024,
    problem: null,
    own: true,
    weights_format: 'mlx',
    ...changes,
  }
}

export function adapter(changes: Partial<AdapterInfo> = {}): AdapterInfo {
  return {
    name: 'support',
    path: '/adapters/support',
    type: 'lora',
    base_model: '/models/demo',
    method: 'sft',
    lora_rank: 8,
    lora_alpha: null,
    scale: 20,
    keys: ['self_attn.q_proj'],
    num_layers: 4,
    size_bytes: 266_000,
    created: '2026-01-02T03:04:05Z',
    session_id: 's1',
    has_best: true,
    checkpoints: [100, 200],
    tags: [],
    warnings: [],
    problem: null,
    base_name: 'demo',
    base_fingerprint: '1a2b3c4d5e',
    session_name: 'Tickets',
    train_data: { path: '/data/tickets.jsonl', rows: 842 },
    best: { step: 200, metric: 'val_loss', value: 0.447 },
    command: 'python -m mlx_lm generate --model /models/demo',
    ...changes,
  }
}

/** A base of the catalogue, with a verdict on this machine. */
export function base(repoId: string, verdict: 'ok' | 'tight' | 'too_large', more: Partial<CatalogBase> = {}): CatalogBase {
  return {
    repo_id: repoId,
    good_for: 'Support answers',
    license: 'apache-2.0',
    gated: false,
    parameters: 494_032_768,
    size_bytes: 988_065_536,
    layers: 24,
    width: 896,
    heads: 14,
    kv_heads: 2,
    vocabulary: 151_936,
    intermediate: 4864,
    lora_4bit: { estimate_gb: 1.4, verdict },
    full: { estimate_gb: 6.2, verdict },
    here: null,
    ...more,
  }
}
