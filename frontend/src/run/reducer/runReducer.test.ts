import { describe, expect, test } from 'vitest'

import type { Frame } from '@/api/frames'
import { NO_RUN, reduceFrame, type RunView } from './runReducer'
import { progressOf, timesOf } from './runSlice'
import { FrameMaker } from '@/test/fakeServer'

const AT = 1_000_000

function after(frames: readonly Frame[], from: RunView = NO_RUN): RunView {
  return frames.reduce((run, frame) => reduceFrame(run, frame, AT), from)
}

function started(make: FrameMaker): Frame {
  return make.make('training_started', {
    config: { adapter_name: 'demo', lora_rank: 32 },
    session_id: make.session,
    method: 'sft',
  })
}

test('a run from start to end', () => {
  const make = new FrameMaker()
  const run = after([started(make)])
  expect([run.state, run.sessionId, run.method]).toEqual(['starting', 'run-1', 'sft'])
  const running = after([make.point(10, 2), make.point(20, 1)], run)
  expect([running.state, running.phase, running.metrics.train_loss]).toEqual(['running', 'training', 1])
  const best = after([make.make('best_model_updated', { step: 20, value: 0.9, path: 'best' })], running)
  expect(best.best?.step).toBe(20)
  const done = after(
    [
      make.make('training_completed', {
        final_metrics: { current_step: 60, total_steps: 100, elapsed_seconds: 30 },
        early_stopped: true,
        message: 'Finished.',
      }),
    ],
    best,
  )
  expect([done.state, done.phase, done.earlyStopped, done.message]).toEqual(['completed', null, true, 'Finished.'])
  expect(done.best?.step).toBe(20)
  expect(done.config).toEqual({ adapter_name: 'demo', lora_rank: 32 })
})

test('frames of another run change nothing', () => {
  const make = new FrameMaker()
  const run = after([started(make), make.point(10, 2)])
  const other = [
    make.point(99, 0.1, 'run-2'),
    make.make('training_error', { error: 'boom' }, 'run-2'),
    make.make('checkpoint_saved', { step: 9, path: 'x' }, 'run-2'),
  ]
  expect(after(other, run)).toBe(run)
})

test('a new run inherits nothing from the one before', () => {
  const first = new FrameMaker()
  const run = after([
    started(first),
    first.make('best_model_updated', { step: 5, value: 0.1, path: 'p' }),
    first.make('training_alert', { level: 'warning', code: 'nan', message: 'NaN' }),
  ])
  const next = after([started(new FrameMaker('epoch-1', 'run-2'))], run)
  expect([next.best, next.alerts, next.metrics, next.error]).toEqual([null, [], {}, null])
})

test('a snapshot replaces everything, also what it does not name', () => {
  const make = new FrameMaker()
  const run = after([started(make), make.make('training_error', { error: 'boom', hint: 'less' })])
  expect(run.error).toEqual({ message: 'boom', hint: 'less', log_tail: [] })
  const fresh = after([make.snapshot({ state: 'idle', session_id: null })], run)
  expect(fresh).toEqual({ ...NO_RUN, at: AT })
})

test('a reload in the middle of a run shows the whole run', () => {
  const run = after([
    new FrameMaker().snapshot({
      state: 'paused',
      phase: 'paused',
      config: { adapter_name: 'a' },
      metrics: { current_step: 40, total_steps: 100 },
      alerts: [{ level: 'warning', code: 'over_fitting', message: 'x' }],
      series: { best: { step: 30, value: 1, path: 'p' } },
      adapter_path: '/data/adapters/a',
    }),
  ])
  expect([run.state, run.best?.step, run.alerts.length, run.adapterPath, run.method]).toEqual([
    'paused',
    30,
    1,
    '/data/adapters/a',
    'sft',
  ])
})

test('the same alert again is shown once', () => {
  const make = new FrameMaker()
  const alert = (message: string) => make.make('training_alert', { level: 'warning', code: 'over_fitting', message })
  const run = after([started(make), alert('one'), alert('two'), alert('one')])
  expect(run.alerts.map((each) => each.message)).toEqual(['two', 'one'])
})

test('a late log line does not wake a run that has ended', () => {
  const make = new FrameMaker()
  const ended = after([started(make), make.make('training_stopped', { session_id: 'run-1', message: 'Stopped.' })])
  const late = make.make('training_progress', { metrics: {}, log_lines: ['bye'] })
  expect(after([late], ended).state).toBe('stopped')
})

test('a type of a newer server is ignored', () => {
  const make = new FrameMaker()
  const run = after([started(make)])
  const unknown = { type: 'queue_changed', seq: 9, epoch: 'epoch-1', session_id: 'run-1', data: {} }
  expect(after([unknown as unknown as Frame], run)).toBe(run)
})

describe('times', () => {
  const running = after([
    new FrameMaker().snapshot({ metrics: { elapsed_seconds: 60, estimated_time_remaining: 30 } }),
  ])

  test('run on between reports, and the rest never falls below zero', () => {
    expect(timesOf(running, AT + 5000)).toEqual({ elapsed: 65, remaining: 25 })
    expect(timesOf(running, AT + 90_000)).toEqual({ elapsed: 150, remaining: 0 })
  })

  test('stand still once the run has ended', () => {
    for (const state of ['completed', 'stopped', 'error', 'interrupted'] as const) {
      expect(timesOf({ ...running, state }, AT + 90_000)).toEqual({ elapsed: 60, remaining: null })
    }
  })

  test('are unknown rather than zero', () => {
    expect(timesOf({ ...running, metrics: {} }, AT + 5000)).toEqual({ elapsed: null, remaining: null })
  })
})

test('progress is unknown until both numbers are known', () => {
  expect(progressOf(NO_RUN)).toEqual({ step: null, total: null, fraction: null })
  expect(progressOf({ ...NO_RUN, metrics: { current_step: 25, total_steps: 100 } }).fraction).toBe(0.25)
  expect(progressOf({ ...NO_RUN, metrics: { current_step: 120, total_steps: 100 } }).fraction).toBe(1)
})
