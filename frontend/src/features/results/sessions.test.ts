import { expect, test } from 'vitest'

import type { SessionSummary } from '@/api/generated'
import { chosenSessions, NEWEST_FIRST } from './sessions'

function session(part: Partial<SessionSummary> & { session_id: string }): SessionSummary {
  return {
    timestamp: '2026-11-20T10:00:00Z',
    training_state: 'completed',
    model_name: 'Qwen',
    adapter_name: part.session_id,
    final_train_loss: 1,
    final_val_loss: 1,
    steps_completed: 10,
    total_steps: 10,
    method: 'sft',
    best_val_loss: 1, best_value: 1,
    duration_seconds: 60,
    notes: '',
    tags: [],
    adapter_ready: true,
    ...part,
  }
}

const ids = (sessions: readonly SessionSummary[]) => sessions.map((each) => each.session_id)

test('the newest come first, those without a date last', () => {
  const sessions = [
    session({ session_id: 'none', timestamp: null }),
    session({ session_id: 'new', timestamp: '2026-01-01T00:00:00Z' }), // Its clock was set back.
    session({ session_id: 'old', timestamp: '2026-11-20T10:00:00Z' }),
  ]
  expect(ids(chosenSessions(sessions, '', 'all', NEWEST_FIRST))).toEqual(['new', 'old', 'none'])
  expect(ids(chosenSessions(sessions, '', 'all', { key: 'date', down: false }))).toEqual(['old', 'new', 'none'])
})

test('an unknown loss is never the lowest, whichever way is sorted', () => {
  const sessions = [
    session({ session_id: 'a', best_val_loss: 2, best_value: 2 }),
    session({ session_id: 'b', best_val_loss: null, best_value: null }),
    session({ session_id: 'c', best_val_loss: 1, best_value: 1 }),
  ]
  expect(ids(chosenSessions(sessions, '', 'all', { key: 'best', down: false }))).toEqual(['c', 'a', 'b'])
  expect(ids(chosenSessions(sessions, '', 'all', { key: 'best', down: true }))).toEqual(['a', 'c', 'b'])
})

test('the filter takes words in any order over name, model, method and tags', () => {
  const sessions = [
    session({ session_id: 'support', tags: ['tone'] }),
    session({ session_id: 'other', model_name: 'Llama (8B)' }),
  ]
  expect(ids(chosenSessions(sessions, 'TONE supp', 'all', NEWEST_FIRST))).toEqual(['support'])
  expect(ids(chosenSessions(sessions, '(8b', 'all', NEWEST_FIRST))).toEqual(['other'])
  expect(chosenSessions(sessions, 'nothing like it', 'all', NEWEST_FIRST)).toEqual([])
})

test('the state filter never hides a damaged record', () => {
  const sessions = [
    session({ session_id: 'stopped', training_state: 'interrupted' }),
    session({ session_id: 'done' }),
    session({ session_id: 'damaged', training_state: null, problem: 'not JSON' }),
  ]
  expect(ids(chosenSessions(sessions, '', 'stopped', NEWEST_FIRST))).toEqual(['stopped', 'damaged'])
})
