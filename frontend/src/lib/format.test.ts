import { expect, test } from 'vitest'
import { baseName, bytes, clock, compact, count, duration, gigabytes, loss, parameters, percent, plural } from './format'

test('unknown is a dash, never 0', () => {
  for (const show of [bytes, clock, compact, count, duration, gigabytes, loss, parameters, percent]) {
    expect(show(null)).toBe('—')
    expect(show(undefined)).toBe('—')
    expect(show(Number.NaN)).toBe('—')
    expect(show(0)).not.toBe('—')
  }
})

test.each([
  [compact(0.0001), '1e-4'],
  [compact(2311.4), '2,310'],
  [compact(0.5), '0.5'],
  [loss(0.447), '0.447'],
  [loss(0.00012), '1.2e-4'],
  [loss(0), '0.000'],
  [parameters(17_596_416), '17.596M'],
  [parameters(524_288), '524.3k'],
  [gigabytes(3.1), '3.1 GB'],
  [gigabytes(0.0494), '49 MB'],
  [bytes(73_000), '73 kB'],
  [clock(702), '11:42'],
  [clock(3725), '1:02:05'],
  [duration(30), '30 s'],
  [duration(840), '14 min'],
  [duration(7500), '2 h 5 min'],
  [plural(1, 'row'), '1 row'],
  [plural(842, 'row'), '842 rows'],
  [baseName('C:\\data\\train.jsonl'), 'train.jsonl'],
  [baseName('/models/qwen/'), 'qwen'],
])('%s', (shown, expected) => {
  expect(shown).toBe(expected)
})
