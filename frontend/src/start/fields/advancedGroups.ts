/** The advanced training parameters in groups, and what the engine takes for an empty one. Pure. */
import type { FieldName } from '@/api/fields'

type Group = { readonly name: string; readonly fields: readonly FieldName[] }

const GROUPS: readonly Group[] = [
  { name: 'Schedule', fields: ['lr_schedule', 'warmup_steps', 'grad_accumulation_steps', 'seed'] },
  {
    name: 'Optimizer',
    fields: [
      ...(['optimizer', 'weight_decay', 'beta1', 'beta2', 'epsilon', 'bias_correction', 'momentum', 'nesterov', 'dampening', 'ns_steps'] as const),
      ...(['clip_threshold', 'decay_rate', 'epsilon_squares', 'scale_parameter', 'epsilon_scale', 'relative_step', 'warmup_init'] as const),
    ],
  },
  { name: 'Validation', fields: ['steps_per_eval', 'val_batches', 'min_delta', 'test'] },
  { name: 'Checkpoints', fields: ['save_every', 'keep_checkpoints', 'overwrite'] },
  { name: 'Reporting', fields: ['steps_per_report', 'report_to', 'project_name'] },
]
const REST = 'Memory and speed'

/** The groups that have any of these fields; what no group names is in the last one. */
export function advancedGroups(shown: readonly FieldName[]): readonly Group[] {
  const named = new Set(GROUPS.flatMap(({ fields }) => fields))
  const groups = GROUPS.map(({ name, fields }) => ({ name, fields: fields.filter((field) => shown.includes(field)) }))
  const rest = { name: REST, fields: shown.filter((field) => !named.has(field)) }
  return [...groups, rest].filter(({ fields }) => fields.length > 0)
}

/** By optimizer, as MLX has them. */
const ENGINE_DEFAULTS: Readonly<Record<string, Readonly<Partial<Record<FieldName, string>>>>> = {
  adam: { beta1: '0.9', beta2: '0.999', epsilon: '1e-8' },
  adamw: { beta1: '0.9', beta2: '0.999', epsilon: '1e-8' },
  muon: { momentum: '0.95', ns_steps: '5' },
  sgd: { momentum: '0', dampening: '0' },
  adafactor: { beta1: 'none', clip_threshold: '1', decay_rate: '-0.8', epsilon_squares: '1e-30', epsilon_scale: '1e-3' },
}

/** What an empty field stands for. */
export function engineDefault(name: FieldName, optimizer: string): string | undefined {
  const value = ENGINE_DEFAULTS[optimizer]?.[name]
  return value === undefined ? undefined : `default ${value}`
}
