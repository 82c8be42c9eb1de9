import { expect, test } from 'vitest'
import { pointOptions, readLength, suggestedTotal } from './resume'

const point = (checkpoint: number, train_loss: number | null = 0.5) => ({
  checkpoint,
  step: checkpoint,
  saved_at: '2026-11-19T10:00:00Z',
  train_loss,
})

test('the newest checkpoint comes first and says so; an unknown loss is left out', () => {
  const [newest, older] = pointOptions([point(20, null), point(1040)])
  expect(newest?.value).toBe('1040')
  expect(newest?.label).toMatch(/^Iteration 1,040 \(newest\) · train loss 0\.500 · /)
  expect(older?.label).toMatch(/^Iteration 20 · \d+ Nov 2026$/)
})

test.each([
  [200, 80, '200'],
  [200, 200, '400'],
  [null, 60, '120'],
])('asked for %s with %d done, %s is suggested', (asked, done, suggested) => {
  expect(suggestedTotal(asked, done)).toBe(suggested)
})

test('the total must be a whole number above what is done', () => {
  expect(readLength('61', 60)).toEqual({ kind: 'total', total: 61, words: '1 iteration left; 60 done.' })
  expect(readLength('1,200', 60)).toMatchObject({ kind: 'total', total: 1200 })
  for (const text of ['60', '', '70.5', 'many']) {
    expect(readLength(text, 60)).toEqual({ kind: 'problem', words: 'A whole number above 60, the iterations already done.' })
  }
})
