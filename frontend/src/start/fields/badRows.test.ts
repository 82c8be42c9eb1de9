import { expect, test } from 'vitest'
import { refusedRows, warningsOf } from '@/start/review/review'

const refused = (detail: string) => refusedRows({ code: 'RowsRefused', detail, hint: null, fields: {}, offline: false, status: 400 } as never)

test('rows that the template refuses can be left out, unless they are all there are', () => {
  expect(refused('1 of 60 rows of a.jsonl and 2 of 5 rows of b.jsonl can’t be used.')).toBe(3)
  expect(refused('5 of 5 rows of b.jsonl can’t be used.')).toBeNull()
})

test('that rows are left out can be taken back', () => {
  const [warning] = warningsOf({ on_bad_rows: 'skip' } as never, ['1 of 60 rows of a.jsonl are left out (line 60): Roles.'])
  expect(warning?.fix).toMatchObject({ name: 'on_bad_rows', draft: 'error' })
})
