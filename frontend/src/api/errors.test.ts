import { expect, test } from 'vitest'
import { readProblem } from './errors'

test('a refusal keeps its sentence, its hint and its fields', () => {
  const data = { error: 'Invalid', detail: 'Rank 0.', hint: 'Use 1.', errors: [{ field: 'lora_rank', message: 'From 1.' }] }
  expect(readProblem({ status: 422, data })).toEqual({
    status: 422,
    code: 'Invalid',
    detail: 'Rank 0.',
    hint: 'Use 1.',
    fields: { lora_rank: 'From 1.' },
    offline: false,
  })
})

test('of several faults of one field the first is named', () => {
  const errors = ['Line 1 is odd.', 'Line 20 is odd.'].map((message) => ({ field: 'train_data_path', message }))
  expect(readProblem({ status: 400, data: { detail: 'Odd.', errors } })?.fields).toEqual({ train_data_path: 'Line 1 is odd.' })
})

test.each([
  { status: 'FETCH_ERROR', error: 'TypeError' },
  { status: 503, data: undefined },
  { status: 'PARSING_ERROR', originalStatus: 502, data: '<html>' },
])('a server that is not there is called so: %o', (error) => {
  expect(readProblem(error)).toMatchObject({ offline: true, code: 'Offline' })
})

test('an engine that is missing is a refusal, not an absent server', () => {
  const data = { error: 'EngineMissing', detail: 'mlx can’t be loaded.', hint: null }
  expect(readProblem({ status: 503, data })).toMatchObject({ offline: false, detail: 'mlx can’t be loaded.' })
})

test('even an answer without words becomes a sentence', () => {
  expect(readProblem({ status: 500, data: null })?.detail).toBe('The server answered 500 without saying why.')
  expect(readProblem(new Error('odd'))?.detail).toBe('odd')
  expect(readProblem(undefined)).toBeNull()
})
