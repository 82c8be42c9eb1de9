import { expect, test } from 'vitest'
import { NO_RUN, type RunView } from '@/run/reducer/runReducer'
import { endOf, titleOf } from './runEnd'

const run: RunView = { ...NO_RUN, sessionId: 'r', state: 'running', config: { adapter_name: 'support_full' } }

test('the title says how far a run is, and is quiet without one', () => {
  expect(titleOf({ ...run, metrics: { current_step: 63, total_steps: 100 } }, null)).toBe('63 % · support_full · Droid FineTuning')
  expect(titleOf({ ...run, state: 'starting' }, null)).toBe('Starting · support_full · Droid FineTuning')
  expect(titleOf({ ...run, state: 'paused', metrics: { current_step: 1, total_steps: 3 } }, null)).toBe('Paused · support_full · Droid FineTuning')
  expect(titleOf({ ...run, state: 'completed' }, null)).toBe('Droid FineTuning')
  expect(titleOf({ ...run, state: 'completed' }, 'support_full finished')).toBe('support_full finished · Droid FineTuning')
})

test('the end of a run names it, its best value and the next step, never an id', () => {
  const best = { step: 80, value: 0.111, path: '/a/support_full/best' }
  expect(endOf({ ...run, state: 'completed', best })).toEqual({
    level: 'good',
    message: 'support_full finished · best 0.111',
    link: { label: 'Compare with base', to: '/compare?adapter=support_full' },
  })
  expect(endOf({ ...run, state: 'error', error: { message: 'Out of memory.', hint: null, log_tail: [] } })).toMatchObject({
    level: 'error',
    message: 'support_full failed',
    hint: 'Out of memory.',
    link: { to: '/training' },
  })
  expect(endOf(run)).toBeNull()
})
