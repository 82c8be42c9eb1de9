/** What a run's configuration says to people: its badge, its model, its rows. */

import { hasEffect } from '@/api/applies'
import { ENHANCED_FIELDS, FIELDS, type Field } from '@/api/fields'
import type { RunConfig } from './runReducer'
import { baseName, count, UNKNOWN } from '@/lib/format'

export type ConfigRow = {
  readonly name: string
  readonly label: string
  readonly value: string
  readonly changed: boolean
}
export type ConfigGroup = { readonly title: string; readonly rows: readonly ConfigRow[] }

const GROUPS: readonly (readonly [key: string, title: string])[] = [
  ['method', 'Method'],
  ['model', 'Model'],
  ['data', 'Data'],
  ['rewards', 'Rewards'],
  ['rollouts', 'Answers'],
  ['objective', 'Objective'],
  ['parameters', 'Training'],
  ['lora', 'LoRA'],
  ['run', 'Run'],
  ['other', 'Other'],
]
/** They say how the run was asked for, not what it does. */
const ASKED_ONLY: ReadonlySet<string> = new Set(['queue', 'confirm_high_scale', 'overwrite'])
const METHODS: Readonly<Record<string, string>> = {
  sft: 'SFT',
  grpo: 'GRPO',
  gspo: 'GSPO',
  dr_grpo: 'Dr. GRPO',
  dpo: 'DPO',
  orpo: 'ORPO',
  cpo: 'CPO',
  online_dpo: 'Online DPO',
  xpo: 'XPO',
  ppo: 'PPO',
  rlhf_reinforce: 'REINFORCE',
  klpo: 'KLPO',
  dsla: 'DSLA',
  ftpo: 'FTPO',
  dapo: 'DAPO',
}
const PRESETS: Readonly<Record<string, string>> = {
  full: 'full-layer LoRA',
  full_experts: 'full-layer LoRA with experts',
  attention: 'attention-only LoRA',
  mlp: 'MLP-only LoRA',
  qv: 'Q+V LoRA',
}

export function methodName(method: string | null | undefined): string {
  return method ? (METHODS[method] ?? method) : UNKNOWN
}

/** "SFT · full-layer LoRA": the method and what it trains. */
export function methodBadge(method: string | null, config: RunConfig | null): string {
  const words = [method ? methodName(method) : null, config ? trainedPart(config) : null]
  return words.filter(Boolean).join(' · ')
}

/** The same of a line of the list of sessions, which knows the preset alone. */
export function methodOf({ method, coverage }: { readonly method: string | null; readonly coverage?: string | null | undefined }): string {
  const words = coverage ? PRESETS[coverage] : undefined
  return [methodName(method), words].filter(Boolean).join(' · ')
}

function trainedPart(config: RunConfig): string | null {
  const kind = config['fine_tune_type']
  if (kind === 'full') return 'full fine-tuning'
  const keys = config['lora_keys']
  const word = kind === 'dora' ? 'DoRA' : 'LoRA'
  if (typeof keys === 'string') return (PRESETS[keys] ?? `${keys} LoRA`).replace('LoRA', word)
  if (Array.isArray(keys)) return `${word} on ${count(keys.length)} matrices`
  // A record of the reference app does not say; then nothing is claimed.
  return config['lora_rank'] === undefined ? null : word
}

export function modelName(config: RunConfig | null): string {
  const path = config?.['model_path']
  return typeof path === 'string' && path !== '' ? baseName(path) : UNKNOWN
}

export function adapterName(config: RunConfig | null): string | null {
  const name = config?.['adapter_name']
  return typeof name === 'string' && name !== '' ? name : null
}

export function textOf(config: RunConfig | null, field: string): string | null {
  const value = config?.[field]
  return typeof value === 'string' && value !== '' ? value : null
}

export function numberOf(config: RunConfig | null, field: string): number | null {
  const value = config?.[field]
  return typeof value === 'number' ? value : null
}

/**
 * What the run was told, in the form's order and groups; fields of another version come last. What had
 * no effect is left out: an option of another optimizer or method, and what only asked for the run.
 */
export function configGroups(config: RunConfig): readonly ConfigGroup[] {
  // The same name may have another default on the other page, and epsilon another meaning.
  const fields: readonly Field[] = 'training_method' in config ? ENHANCED_FIELDS : FIELDS
  const known = new Map(fields.map((field) => [field.name, field]))
  const shown = fields
    .map((field) => field.name)
    .filter((name) => name in config && hasEffect(known, (field) => config[field.name] ?? field.default, name))
    .filter((name) => known.get(name)?.group !== 'run' || valueWords(config[name]) !== UNKNOWN)
    .filter((name) => !ASKED_ONLY.has(name))
  const rest = Object.keys(config).filter((name) => !known.has(name))
  const rows = [...shown, ...rest].map((name) => ({
    group: known.get(name)?.group ?? 'other',
    row: rowOf(known.get(name), name, config[name]),
  }))
  return GROUPS.map(([key, title]) => ({
    title,
    rows: rows.filter((each) => each.group === key).map((each) => each.row),
  })).filter((group) => group.rows.length > 0)
}

function rowOf(field: Field | undefined, name: string, value: unknown): ConfigRow {
  const words = valueWords(value)
  const unit = field?.unit && typeof value === 'number' ? ` ${field.unit}` : ''
  const usual = field?.default
  const changed = field !== undefined && usual !== undefined && JSON.stringify(usual) !== JSON.stringify(value)
  return {
    name,
    label: field?.title ?? name.replaceAll('_', ' '),
    value: name === 'lora_num_layers' && value === -1 ? 'All layers' : `${words}${unit}`,
    changed,
  }
}

function valueWords(value: unknown): string {
  if (value === null || value === undefined || value === '') return UNKNOWN
  if (typeof value === 'boolean') return value ? 'Yes' : 'No'
  if (typeof value === 'number') {
    const small = value !== 0 && Math.abs(value) < 0.001
    return small ? value.toExponential().replace('e+', 'e') : value.toLocaleString('en-US', { maximumFractionDigits: 6 })
  }
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.length === 0 ? UNKNOWN : value.map(valueWords).join(', ')
  return JSON.stringify(value)
}
