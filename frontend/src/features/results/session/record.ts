/** A stored record read for the page. It may come from an older app: nothing is taken for granted. */
import { isRunState } from '@/run/reducer/runReducer'
import type { RunState } from '@/api/generated'
import { isBestMetric } from '@/run/series/best'
import type { BestPoint } from '@/run/series/series'

type Values = { readonly [key: string]: unknown }

export type SessionView = {
  readonly id: string
  readonly name: string
  /** What the user calls it, if not by its adapter. */
  readonly ownName: string | null
  readonly notes: string
  readonly tags: readonly string[]
  readonly pinned: boolean
  readonly state: RunState | null
  readonly method: string | null
  readonly config: Values
  /** The configuration for another run like it: the model is named by where it was found. */
  readonly repeatable: Values
  readonly metrics: Values
  readonly adapterPath: string | null
  readonly adapterName: string | null
  readonly best: (BestPoint & { readonly path: string | null }) | null
  readonly message: string | null
  readonly hint: string | null
  readonly startedAt: string | null
  readonly endedAt: string | null
  readonly earlyStopped: boolean
  readonly command: string | null
  readonly legacy: boolean
  readonly resumedFrom: { readonly id: string; readonly step: number } | null
  readonly versions: readonly (readonly [name: string, version: string])[]
}

export function readSession(record: Values, id: string): SessionView {
  const config = group(record['config'])
  const exit = group(record['exit'])
  const state = record['training_state'] ?? record['state']
  return {
    id,
    name: text(record['name']) ?? text(config['adapter_name']) ?? id,
    ownName: text(record['name']),
    notes: text(record['notes']) ?? '',
    tags: Array.isArray(record['tags']) ? record['tags'].filter((tag) => typeof tag === 'string') : [],
    pinned: record['pinned'] === true,
    state: isRunState(state) ? state : null,
    method: text(record['method']) ?? text(config['training_method']) ?? 'sft',
    config,
    repeatable: { ...config, ...namedModel(group(record['model'])) },
    metrics: group(record['metrics']),
    adapterPath: text(record['adapter_path']),
    adapterName: text(config['adapter_name']),
    best: bestOf(record),
    message: text(exit['message']),
    hint: text(exit['hint']),
    startedAt: text(record['started_at']) ?? text(record['created_at']) ?? text(record['timestamp']),
    endedAt: text(record['ended_at']),
    earlyStopped: record['early_stopped'] === true,
    command: text(record['command']),
    legacy: record['schema_version'] === undefined || record['legacy'] === true,
    resumedFrom: originOf(group(record['resumed_from'])),
    versions: Object.entries(group(record['versions'])).map(([name, version]) => [name, String(version)] as const),
  }
}

/** A number of the record's metrics; null where it has none. */
export function metric({ metrics }: SessionView, name: string): number | null {
  const value = metrics[name]
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

/** Seconds from start to end; what the engine counted goes first. */
export function durationOf(session: SessionView): number | null {
  const counted = metric(session, 'elapsed_seconds')
  if (counted !== null) return counted
  if (session.startedAt === null || session.endedAt === null) return null
  const seconds = (Date.parse(session.endedAt) - Date.parse(session.startedAt)) / 1000
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : null
}

function namedModel({ path }: Values): Values {
  return typeof path === 'string' && path !== '' ? { model_path: path } : {}
}

function originOf({ session_id, step }: Values): SessionView['resumedFrom'] {
  return typeof session_id === 'string' && typeof step === 'number' ? { id: session_id, step } : null
}

function bestOf(record: Values): SessionView['best'] {
  const best = group(record['best_model'])
  const { step, path } = best
  const metric = isBestMetric(best['metric']) ? best['metric'] : 'val_loss'
  // Records from before other metrics have the loss only.
  const value = best['value'] ?? best['val_loss']
  if (typeof value !== 'number' || typeof step !== 'number') return null
  return { value, metric, step, path: text(path) }
}

function group(value: unknown): Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Values) : {}
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
