/** Words for the values of choices; a value without one is shown as it is. */
import type { Field } from '@/api/fields'
import type { Option } from '@/ui/controls/Select'

const WORDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  fine_tune_type: { lora: 'LoRA', dora: 'DoRA', full: 'Full weights' },
  lora_scaling: {
    mlx: 'Alpha (MLX)',
    alpha_over_rank: 'Alpha / rank (PEFT)',
    rslora: 'Alpha / √rank (rsLoRA)',
  },
  optimizer: { adam: 'Adam', adamw: 'AdamW', muon: 'Muon', sgd: 'SGD', adafactor: 'Adafactor' },
  lr_schedule: { constant: 'Constant', cosine: 'Cosine', linear: 'Linear' },
  nesterov: { '': 'Optimizer default', on: 'On', off: 'Off' },
  report_to: { '': 'Off', wandb: 'Weights & Biases', swanlab: 'SwanLab', 'wandb,swanlab': 'Both' },
  quantize_base: { '': 'No', '4': '4-bit', '8': '8-bit' },
}

export function optionsOf(field: Field): readonly Option[] {
  const words = WORDS[field.name] ?? {}
  const values = (field.options ?? []).map(String)
  const all = field.nullable ? ['', ...values] : values
  return all.map((value) => ({ value, label: words[value] ?? (value || 'None') }))
}

export const PRESET_NAMES: Readonly<Record<string, { readonly label: string; readonly hint: string }>> = {
  full: { label: 'Full', hint: 'Attention and MLP of every block: closest to full fine-tuning.' },
  full_experts: { label: 'Full + experts', hint: 'The experts of a mixture too; their parameters can be billions.' },
  attention: { label: 'Attention', hint: 'Attention only: fewer parameters, weaker results.' },
  mlp: { label: 'MLP', hint: 'The MLP matrices only.' },
  qv: { label: 'Q + V', hint: 'Query and value only, as in the original LoRA paper.' },
}
