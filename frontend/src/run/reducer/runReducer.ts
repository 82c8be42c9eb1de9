/**
 * The live run as a state machine: a run and a frame go in, the run after it comes out. Frames of
 * other runs change nothing. The server is the one writer of state; the page only repeats it.
 */

import { withSample } from './samples'
import type { Alert, BestModel, Frame, ProgressData, RunError, RunMetrics, RunState, SampleData } from '@/api/frames'

export type Verdict = NonNullable<ProgressData['health']>
export type RunConfig = { readonly [field: string]: unknown }

export type RunView = {
  readonly sessionId: string | null
  readonly state: RunState
  readonly phase: string | null
  readonly method: string | null
  readonly metrics: RunMetrics
  readonly config: RunConfig | null
  readonly error: RunError | null
  readonly message: string | null
  readonly alerts: readonly Alert[]
  readonly health: Verdict | null
  readonly best: BestModel | null
  /** The last completions of the run, oldest first. */
  readonly samples: readonly SampleData[]
  readonly adapterPath: string | null
  readonly earlyStopped: boolean
  /** When the metrics arrived, by the browser's clock: from there the shown times run on. */
  readonly at: number
}

export const NO_RUN: RunView = {
  sessionId: null,
  state: 'idle',
  phase: null,
  method: null,
  metrics: {},
  config: null,
  error: null,
  message: null,
  alerts: [],
  health: null,
  best: null,
  samples: [],
  adapterPath: null,
  earlyStopped: false,
  at: 0,
}

const STATES: ReadonlySet<string> = new Set<RunState>([
  'idle',
  'starting',
  'running',
  'paused',
  'stopping',
  'completed',
  'stopped',
  'error',
  'interrupted',
])

export function isRunState(value: unknown): value is RunState {
  return typeof value === 'string' && STATES.has(value)
}

export function isLive(state: RunState): boolean {
  return state === 'starting' || state === 'running' || state === 'paused' || state === 'stopping'
}

/** These frames say themselves which run is meant from now on; all others belong to one already known. */
export function opensRun(frame: Frame): boolean {
  switch (frame.type) {
    case 'training_state':
    case 'training_started':
    case 'training_reset':
    case 'session_loaded':
      return true
    default:
      return false
  }
}

/** Whether a frame concerns the run that is shown. */
export function concerns(sessionId: string | null, frame: Frame): boolean {
  return opensRun(frame) || (sessionId !== null && frame.session_id === sessionId)
}

/** Alerts beyond this are the same trouble repeated; the log has them all. */
const MOST_ALERTS = 20

export function reduceFrame(run: RunView, frame: Frame, at: number): RunView {
  if (!concerns(run.sessionId, frame)) return run
  switch (frame.type) {
    case 'training_state': {
      const { data } = frame
      return {
        sessionId: data.session_id ?? null,
        state: data.state,
        phase: data.phase ?? null,
        method: data.metrics?.method ?? methodOf(data.config),
        metrics: data.metrics ?? {},
        config: data.config ?? null,
        error: data.error ?? null,
        message: data.message ?? null,
        alerts: data.alerts ?? [],
        health: data.health ?? null,
        best: data.series?.best ?? null,
        samples: data.samples ?? [],
        adapterPath: data.adapter_path ?? null,
        earlyStopped: data.early_stopped ?? false,
        at,
      }
    }
    case 'training_started': {
      const { data } = frame
      return {
        ...NO_RUN,
        sessionId: data.session_id,
        state: 'starting',
        method: data.method,
        config: data.config,
        at,
      }
    }
    case 'training_progress': {
      const { data } = frame
      return {
        ...run,
        state: isRunState(data.state) ? data.state : run.state,
        phase: data.phase ?? run.phase,
        metrics: data.metrics,
        health: data.health ?? run.health,
        at,
      }
    }
    case 'best_model_updated':
      return { ...run, best: frame.data }
    case 'training_sample':
      return { ...run, samples: withSample(run.samples, frame.data) }
    case 'training_alert':
      return { ...run, alerts: withAlert(run.alerts, frame.data) }
    case 'training_completed': {
      const { final_metrics, early_stopped, message } = frame.data
      return ended(run, { state: 'completed', metrics: final_metrics, earlyStopped: early_stopped, message, at })
    }
    case 'training_stopped':
      return ended(run, { state: 'stopped', message: frame.data.message, at })
    case 'training_error': {
      const { error, hint, log_tail } = frame.data
      const reason: RunError = { message: error, hint: hint ?? null, log_tail: log_tail ?? [] }
      return ended(run, { state: 'error', error: reason, message: error, at })
    }
    case 'training_reset':
      return { ...NO_RUN, at }
    case 'session_loaded': {
      const { data } = frame
      return {
        ...NO_RUN,
        sessionId: data.session_id,
        state: isRunState(data.state) ? data.state : 'interrupted',
        metrics: data.metrics,
        config: data.config,
        method: data.metrics?.method ?? methodOf(data.config),
        at,
      }
    }
    default:
      // Checkpoints go to the series; jobs, heartbeats and types of a newer server are no run's.
      return run
  }
}

function ended(run: RunView, end: Partial<RunView>): RunView {
  return { ...run, phase: null, ...end }
}

/** The same alert again is the same alert, as the server counts them too. */
function withAlert(alerts: readonly Alert[], alert: Alert): readonly Alert[] {
  const others = alerts.filter((known) => known.code !== alert.code || known.message !== alert.message)
  return [...others, alert].slice(-MOST_ALERTS)
}

function methodOf(config: RunConfig | null | undefined): string | null {
  const method = config?.['training_method'] ?? config?.['method']
  return typeof method === 'string' ? method : config ? 'sft' : null
}
