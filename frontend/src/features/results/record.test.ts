import { expect, test } from 'vitest'

import { durationOf, metric, readSession } from './record'

test('a record of the reference app, with hardly a field, still reads', () => {
  const session = readSession({ session_id: 'x', training_state: 'completed', config: null }, 'x')
  expect([session.name, session.state, session.best, session.legacy]).toEqual(['x', 'completed', null, true])
  expect(metric(session, 'train_loss')).toBeNull()
  expect(durationOf(session)).toBeNull()
})

test('the duration is what was counted, else from start to end', () => {
  const times = { started_at: '2026-11-20T10:00:00Z', ended_at: '2026-11-20T10:01:30Z' }
  expect(durationOf(readSession({ ...times, metrics: { elapsed_seconds: 12 } }, 'x'))).toBe(12)
  expect(durationOf(readSession(times, 'x'))).toBe(90)
})

test('a state nobody knows is no state', () => {
  expect(readSession({ training_state: 'dancing' }, 'x').state).toBeNull()
})
