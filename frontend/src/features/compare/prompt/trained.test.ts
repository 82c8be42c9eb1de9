import { expect, test } from 'vitest'
import { askedWithout, systemFor } from './trained'
import type { Question } from '@/features/compare/ask/asked'

test.each([
  ['an empty field is filled', { system: '', last: '', offered: 'A' }, 'A'],
  ['what was typed stays', { system: 'mine', last: '', offered: 'A' }, null],
  ['what was removed is not offered twice', { system: '', last: 'A', offered: 'A' }, null],
  ['another adapter brings its own', { system: 'A', last: 'A', offered: 'B' }, 'B'],
  ['one without takes it away again', { system: 'A', last: 'A', offered: '' }, ''],
  ['also after a removal', { system: '', last: 'A', offered: 'B' }, 'B'],
] as const)('%s', (_, standing, expected) => {
  expect(systemFor(standing)).toBe(expected)
})

test('an answer says that its adapter was trained with a system prompt and asked without', () => {
  const question: Question = {
    prompt: 'Who?', system: null, targets: [], raw: false, together: true, duringRun: false,
    sampling: { max_tokens: 8, temperature: 0, top_p: 1, top_k: 0, min_p: 0, repetition_penalty: null, seed: null },
  }
  const trained = { system: 'Be a captain.', prompts: [], source: null }
  expect(askedWithout(trained, question)).toMatch(/but asked without one/)
  expect(askedWithout(trained, { ...question, system: 'Be brief.' })).toBeNull()
  expect(askedWithout({ ...trained, system: null }, question)).toBeNull()
  expect(askedWithout(trained, undefined)).toBeNull()
})
