import { expect, test } from 'vitest'

import { filterLines, levelOf, LogBook, splitByMatch, type LogLevel } from './logBook'

const all = new Set<LogLevel>(['info', 'warning', 'error'])

test('only the newest 10,000 lines are kept, and the others are counted', () => {
  const book = new LogBook()
  book.append(Array.from({ length: 10_005 }, (_, i) => `line ${i + 1}`))
  expect(book.length).toBe(10_000)
  expect(book.dropped).toBe(5)
  expect(book.lines()[0]).toEqual({ number: 6, text: 'line 6', level: 'info' })
})

test('a bracket in the search is a bracket, not a pattern', () => {
  const book = LogBook.from(['loss 1.0 (mean)', 'saved', 'a[0] = *'])
  for (const [text, numbers] of [['(', [1]], ['[0]', [3]], ['*', [3]], ['.', [1]], ['\\', []]] as const) {
    expect(filterLines(book.lines(), { text, levels: all }).map((line) => line.number)).toEqual(numbers)
  }
})

test('the search ignores case, and levels filter by themselves', () => {
  const lines = LogBook.from(['Traceback (most recent call last):', 'UserWarning: x', 'step 1']).lines()
  expect(filterLines(lines, { text: 'TRACE', levels: all })).toHaveLength(1)
  expect(filterLines(lines, { text: '', levels: new Set<LogLevel>(['warning']) })).toHaveLength(1)
  expect(filterLines(lines, { text: '', levels: all })).toBe(lines)
})

test.each([
  ['ValueError: bad', 'error'],
  ['RuntimeError: out of memory', 'error'],
  ['UserWarning: old', 'warning'],
  ['Iter 10: train loss 2.1', 'info'],
  ['0 files were terrorised', 'info'],
] as const)('%s is %s', (text, level) => {
  expect(levelOf(text)).toBe(level)
})

test('a line is cut at each hit, and joined again it is the same line', () => {
  const pieces = splitByMatch('Loss (loss) LOSS', 'loss')
  expect(pieces.filter((piece) => piece.hit).map((piece) => piece.text)).toEqual(['Loss', 'loss', 'LOSS'])
  expect(pieces.map((piece) => piece.text).join('')).toBe('Loss (loss) LOSS')
  expect(splitByMatch('abc', '(')).toEqual([{ text: 'abc', hit: false }])
  expect(splitByMatch('abc', ' ')).toEqual([{ text: 'abc', hit: false }])
})
