/** Answers of a server as these tests need them. */
import type { LoraKey, LoraTargets, ModelInfo, Preview } from '@/api/generated'

export const DEMO: ModelInfo = {
  name: 'droid-demo',
  path: '/models/droid-demo',
  model_type: 'qwen2',
  vocab_size: 1280,
  num_layers: 4,
  hidden_size: 256,
  parameters: 2_691_328,
  quantization: null,
  dtype: 'float32',
  size_bytes: 10_770_579,
  chat_template: true,
  context_length: 1024,
  problem: null,
  defaults: { train_data_path: '/demo/train.jsonl', iterations: 120, batch_size: 4, adapter_name: 'demo_captain' },
}

/** The form as someone left it who chose the demo's rows and settings by hand. */
export function rememberDemo(): void {
  const edits = { train_data_path: '/demo/train.jsonl', iterations: '120', epochs: '', batch_size: '4' }
  localStorage.setItem('droid.setup', JSON.stringify({ edits, level: 'simple' }))
}

export const QWEN: ModelInfo = {
  ...DEMO,
  name: 'Qwen2.5-0.5B',
  path: '/models/Qwen2.5-0.5B',
  num_layers: 24,
  parameters: 494_032_768,
  defaults: null,
}

export const BROKEN: ModelInfo = { ...QWEN, name: 'broken', path: '/models/broken', problem: 'config.json is missing.' }

const key = (name: string, group: LoraKey['group'], inputs: number, outputs: number): LoraKey => ({
  name,
  group,
  in: inputs,
  out: outputs,
  copies: 1,
  modules: 24,
  layers: Array.from({ length: 24 }, (_, layer) => layer),
  sizes: [],
})

const ATTENTION = [
  key('self_attn.q_proj', 'attention', 896, 896),
  key('self_attn.k_proj', 'attention', 896, 128),
  key('self_attn.v_proj', 'attention', 896, 128),
  key('self_attn.o_proj', 'attention', 896, 896),
]
const MLP = [
  key('mlp.gate_proj', 'mlp', 896, 4864),
  key('mlp.up_proj', 'mlp', 896, 4864),
  key('mlp.down_proj', 'mlp', 4864, 896),
]
const names = (keys: readonly LoraKey[]) => keys.map((each) => each.name)

/** The published configuration of Qwen2.5-0.5B. */
export const TARGETS: LoraTargets = {
  architecture: 'qwen2',
  num_layers: 24,
  total_parameters: 494_032_768,
  keys: [...ATTENTION, ...MLP],
  presets: {
    full: names([...ATTENTION, ...MLP]),
    full_experts: names([...ATTENTION, ...MLP]),
    attention: names(ATTENTION),
    mlp: names(MLP),
    qv: ['self_attn.q_proj', 'self_attn.v_proj'],
  },
  coverage: [
    { value: -1, label: 'All layers (-1)' },
    { value: 16, label: 'Last 16' },
    { value: 8, label: 'Last 8' },
  ],
  seed_keys: [],
  unmatched_seed_keys: [],
  notes: [],
}

export const PREVIEW: Preview = {
  config_yaml: 'model: droid-demo\n',
  command: 'python -m mlx_lm lora --config config.yaml',
  lora: null,
  memory: { estimate_gb: 0.05, parts: { weights: 0.03, adapter: 0.02 }, available_gb: 20, verdict: 'ok' },
  data: {
    format: 'chat',
    rows: 324,
    valid_rows: 36,
    split: true,
    tokens: null,
    max_tokens: null,
    truncated_rows: null,
    unused_rows: 0,
  },
  iterations: 120,
  steps_per_epoch: 81,
  epochs: 1.48,
  estimated_seconds: 30,
  checkpoint_bytes: 2_097_152,
  checkpoints_kept: 5,
  needs_confirmation: null,
  warnings: [],
  remarks: [],
}
