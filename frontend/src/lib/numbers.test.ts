import { expect, test } from 'vitest'
import { numberText, parseNumber, stepNumber } from '@/lib/numbers'

test.each([
  ['1024', 1024],
  ['1,024', 1024],
  ['1,234,567', 1234567],
  ['1e-4', 0.0001],
  ['−1', -1],
  ['.5', 0.5],
  ['5.', 5],
  ['0', 0],
])('%s is read as %d', (text, value) => {
  expect(parseNumber(text)).toBe(value)
})

test.each(['', ' ', '1e', '1e-', 'abc', '1,2', 'NaN', 'Infinity', '1e999', '0x10', '1 000'])(
  '"%s" is no number yet',
  (text) => {
    expect(parseNumber(text)).toBeNull()
  },
)

test.each([
  [0.0001, '1e-4'],
  [0.00025, '2.5e-4'],
  [0.01, '0.01'],
  [0, '0'],
  [32, '32'],
  [-1, '-1'],
])('%d is written as %s', (value, text) => {
  expect(numberText(value)).toBe(text)
  expect(parseNumber(text)).toBe(value)
})

test('an arrow key stops at a limit and leaves what is beyond it alone', () => {
  expect(stepNumber({ now: 511, by: 1, max: 512 })).toBe('512')
  expect(stepNumber({ now: 512, by: 1, max: 512 })).toBe('512')
  expect(stepNumber({ now: 900, by: 1, max: 512 })).toBe('900')
  expect(stepNumber({ now: 0.1, by: 0.2 })).toBe('0.3')
})
