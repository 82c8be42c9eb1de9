/** What a server says, as these tests need it. */
import type { AvailableModels, EvaluationResult, MetricResult, SessionSummary } from '@/api/generated'

const adapter = (name: string, more: object = {}) => ({
  name,
  has_best: true,
  has_latest: true,
  path: `/adapters/${name}`,
  checkpoints: [],
  method: 'sft',
  session_id: `s-${name}`,
  problem: null,
  ...more,
})

export const AVAILABLE: AvailableModels = {
  models: [
    {
      name: 'demo',
      path: '/models/demo',
      problem: null,
      adapters: [
        adapter('captain', { checkpoints: [100, 200] }),
        adapter('old', { session_id: null }),
        adapter('half', { has_best: false, has_latest: false, problem: 'It has no weights yet: no checkpoint was saved.' }),
        adapter('torn', { problem: 'adapter_config.json can’t be read.' }),
      ],
    },
  ],
  unassigned: [adapter('stray', { recorded_base: 'Org/other' }), adapter('plain', { recorded_base: null, fits: ['demo'] })],
}

const session = (name: string, more: Partial<SessionSummary> = {}): SessionSummary => ({
  session_id: `s-${name}`,
  timestamp: '2026-11-20T10:00:00Z',
  training_state: 'completed',
  model_name: 'demo',
  adapter_name: name,
  final_train_loss: 1,
  final_val_loss: 1,
  steps_completed: 10,
  total_steps: 10,
  method: 'sft',
  best_val_loss: 1,
  duration_seconds: 10,
  notes: '',
  tags: [],
  adapter_ready: true,
  ...more,
})

export const SESSIONS: readonly SessionSummary[] = [
  session('captain'),
  session('old', { legacy: true, timestamp: '2025-01-01T00:00:00Z' }),
  session('deleted', { adapter_ready: false }),
  session('half', { adapter_ready: false, training_state: 'running' }),
  session('diverged', { adapter_ready: false, training_state: 'error', best_value: null }),
]

const estimate = (mean: number, low: number | null, high: number | null) => ({ mean, low, high, rows: 6 })

export function metricOf(part: Partial<MetricResult>): MetricResult {
  return {
    id: 'token_f1',
    name: 'Token F1',
    help: 'Words shared.',
    source: 'SQuAD',
    better: 'higher',
    values: [estimate(0.2, 0.1, 0.3), estimate(0.6, 0.5, 0.7)],
    difference: estimate(0.4, 0.3, 0.5),
    ratio: null,
    ...part,
  }
}

export const interval = estimate

const given = (f1: number | null, problem: string | null = null) => ({
  text: 'An answer.',
  finish_reason: 'stop',
  completion_tokens: 3,
  loss: 6,
  tokens: 3,
  problem,
  metrics: { token_f1: f1 },
})

export const QUESTIONS: EvaluationResult['questions'] = [
  { line: 1, seen: false, messages: [{ role: 'user', content: 'One?' }], expected: 'A', answers: [given(0.1), given(0.9)] },
  { line: 2, seen: true, messages: [{ role: 'user', content: 'Two?' }], expected: 'B', answers: [given(0.9), given(0.1)] },
  { line: 3, seen: false, messages: null, expected: null, answers: [given(null, 'It has no question.'), given(null)] },
  { line: 4, seen: false, messages: [{ role: 'user', content: 'Four?' }], expected: 'D', answers: [given(0.5), given(0.5)] },
]
