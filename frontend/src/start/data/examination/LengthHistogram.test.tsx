import { render, screen } from '@testing-library/react'
import { expect, test } from 'vitest'
import { LengthHistogram, placeOf, rangeWords } from './LengthHistogram'

const bins = [
  { start: 0, end: 16, rows: 2 },
  { start: 16, end: 32, rows: 8 },
  { start: 32, end: 400, rows: 1 },
]

test('the line stands where rows begin to be cut', () => {
  expect(placeOf(bins, 15)).toBe(1)
  expect(placeOf(bins, 23)).toBe(1.5)
  expect(placeOf(bins, 31)).toBe(2)
  expect(placeOf(bins, 399)).toBe(3)
  expect(placeOf([{ start: 32, end: 48, rows: 1 }], 16)).toBe(0)
})

test('the picture is said in words and each bar has its own', () => {
  render(<LengthHistogram bins={bins} limit={20} summary="11 rows, 9 of them cut." />)
  expect(screen.getByRole('img', { name: '11 rows, 9 of them cut.' })).toBeTruthy()
  expect(screen.getByText('cut at 20')).toBeTruthy()
  expect(screen.getByText('16 to 31 tokens: 8')).toBeTruthy()
})

test('a limit that cuts nothing draws no line', () => {
  render(<LengthHistogram bins={bins} limit={1024} summary="Nothing is cut." />)
  expect(screen.queryByText(/cut at/)).toBeNull()
})

test('bars are named by their range', () => {
  expect(rangeWords({ start: 5, end: 6, rows: 1 })).toBe('5 tokens')
  expect(rangeWords({ start: 1024, end: 9000, rows: 1 }, true)).toBe('1,024 tokens and more')
})
