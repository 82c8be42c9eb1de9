import { expect, test } from 'vitest'
import { findingsOf } from './findings'
import { inspection, LENGTHS } from '@/test/dataSamples'

const titles = (part: Parameters<typeof inspection>[0]) => findingsOf(inspection(part)).map(({ tone, title }) => `${tone}: ${title}`)

test('a good file is said to be good', () => {
  expect(titles({})).toEqual(['good: All rows are usable', 'good: No duplicates'])
})

test('the worst comes first', () => {
  const found = titles({
    problem_count: 2,
    problems: [{ line: 7, message: 'Line 7 is not valid JSON.' }],
    duplicates: { rows: 1, groups: [{ lines: [1, 9], count: 2 }] },
    leakage: { path: '/data/valid.jsonl', valid_rows: 4, shared_rows: 1, examples: [{ line: 3, valid_line: 1 }] },
    multi_turn_rows: 5,
  })
  expect(found).toEqual([
    'bad: 2 lines can’t be used',
    'warn: 1 validation row is in the training file too',
    'warn: 1 row repeats an earlier one',
    'info: 5 conversations have several answers',
  ])
})

test('rows without anything to learn are named by their lines', () => {
  const [first] = findingsOf(inspection({ lengths: { ...LENGTHS, without_target: 3, without_target_lines: [18, 36] } }))
  expect(first?.title).toBe('3 rows without anything to learn')
  expect(first?.lines).toEqual([18, 36])
})

test('unknown columns are one finding with its way out, not one for each line', () => {
  const found = titles({ format: 'unknown', columns: ['q', 'a'], problem_count: 40, good_rows: 0 })
  expect(found).toEqual(['bad: Unknown columns'])
})

test('how rows of another spelling are read is told, without a fault', () => {
  const found = titles({ notes: ["The role 'gpt' is read as 'assistant' (4 rows, the first in line 1)."] })
  expect(found).toContain('info: Alternative field names')
})

test('what the template refuses, can’t learn or leaves out is told apart, with its lines', () => {
  const omitted = [{ part: 'tool_calls', rows: 312, lines: [1, 2], message: '312 of 400 rows: a tool call is not written by this chat template (lines 1, 2, …).' }]
  const found = findingsOf(
    inspection({
      lengths: {
        ...LENGTHS,
        refused_rows: 1,
        refused: [{ line: 60, message: 'Line 60: Roles must alternate' }],
        first_refused: { line: 60, message: 'Line 60: Roles must alternate' },
        unlearnable_rows: 2,
        unlearnable: [{ line: 4, message: 'Line 4: nothing' }],
        omitted,
      },
    }),
  )
  expect(found.map(({ id, lines }) => [id, lines])).toEqual(expect.arrayContaining([['refused', [60]], ['unlearnable', [4]], ['omitted-tool_calls', [1, 2]]]))
  expect(found.find(({ id }) => id === 'omitted-tool_calls')?.text).toContain('312 of 400 rows')
})
