import { expect, test } from 'vitest'

import { comparisonAddress, listRequest, NEWEST_FIRST, NO_FILTERS, sessionName } from './sessions'

test('without a filter only pinned runs and a page are asked for', () => {
  expect(listRequest(NO_FILTERS, NEWEST_FIRST, 100)).toEqual({ limit: 100, pinnedFirst: true })
})

test('every filter and the order are the server’s work', () => {
  const filters = { text: ' low rank ', state: 'stopped', method: 'grpo', model: 'Qwen', tag: 'keep' } as const
  expect(listRequest(filters, { key: 'best', down: false }, 300)).toEqual({
    limit: 300, pinnedFirst: true, sort: 'best', order: 'asc', state: 'stopped,interrupted', method: 'grpo', model: 'Qwen', tag: 'keep', q: 'low rank',
  })
})

test('a run is called by its own name, else by its adapter', () => {
  const session = { session_id: 'x', adapter_name: 'run_7', name: null } as Parameters<typeof sessionName>[0]
  expect(sessionName(session)).toBe('run_7')
  expect(sessionName({ ...session, name: 'The good one' })).toBe('The good one')
})

test('a comparison has an address', () => {
  expect(comparisonAddress(['a', 'b c'])).toBe('/results/compare?ids=a,b%20c')
})
