import { expect, test } from 'vitest'

import { durationOf, metric, readSession } from './record'

test('a record of the reference app, with hardly a field, still reads', () => {
  const session = readSession({ session_id: 'x', training_state: 'completed', config: null }, 'x')
  expect([session.name, session.state, session.best, session.legacy]).toEqual(['x', 'completed', null, true])
  expect(metric(session, 'train_loss')).toBeNull()
  expect(durationOf(session)).toBeNull()
})

test('such a record stays one when this app has written to it', () => {
  expect(readSession({ schema_version: 1, legacy: true }, 'x').legacy).toBe(true)
  expect(readSession({ schema_version: 1 }, 'x').legacy).toBe(false)
})

test('the duration is what was counted, else from start to end', () => {
  const times = { started_at: '2026-11-20T10:00:00Z', ended_at: '2026-11-20T10:01:30Z' }
  expect(durationOf(readSession({ ...times, metrics: { elapsed_seconds: 12 } }, 'x'))).toBe(12)
  expect(durationOf(readSession(times, 'x'))).toBe(90)
})

test('a state nobody knows is no state', () => {
  expect(readSession({ training_state: 'dancing' }, 'x').state).toBeNull()
})

test('a run like it names the model by where it was found, and says what it continued', () => {
  const record = {
    config: { model_path: 'demo', lora_rank: 8 },
    model: { path: '/models/demo', fingerprint: null },
    resumed_from: { session_id: 'before', checkpoint: 20, step: 16 },
  }
  const session = readSession(record, 'x')
  expect(session.repeatable).toEqual({ model_path: '/models/demo', lora_rank: 8 })
  expect(session.resumedFrom).toEqual({ id: 'before', step: 16 })
  expect(readSession({ config: { model_path: 'demo' } }, 'x').repeatable).toEqual({ model_path: 'demo' })
})
