import { expect, test } from 'vitest'
import type { StartRemark } from '@/api/generated'
import { SETUP } from '@/start/page/setupSpec'
import { defaultsFor } from '@/start/fields/form'
import { fixOf, headline, leavesRowsOut } from './review'

const STRONG =
  'The effective learning rate is high: multiplier 32 × learning rate 0.0001 = 3.2e-03; the model may forget what it knew. Scaling alpha_over_rank would make the multiplier 1, and the product 1.0e-04.'
const FORM = { spec: SETUP, values: defaultsFor(SETUP, { model: null }) }
const advised = (field: string, value: string | number | boolean): StartRemark => ({
  code: 'any',
  level: 'caution',
  message: 'Anything.',
  fix: { label: 'Do it', field, value },
})

test('what a remark advises is one press in the words of the form', () => {
  expect(fixOf(FORM, advised('max_seq_length', 2048))).toEqual({ label: 'Do it', name: 'max_seq_length', draft: '2048' })
  expect(fixOf(FORM, advised('mask_prompt', true))).toMatchObject({ draft: true })
  expect(fixOf(FORM, advised('quantize_base', '')), 'it is so already').toBeNull()
  expect(fixOf(FORM, advised('group_size', 4)), 'no field of this form').toBeNull()
})

test('rows that the template refuses can be left out where the server says so', () => {
  const refused = (fields: object) => leavesRowsOut({ code: 'RowsRefused', detail: '', hint: null, fields, offline: false, status: 400 } as never)
  expect(refused({ on_bad_rows: 'Choose skip to leave out 3 rows.' })).toBe(true)
  expect(refused({ train_data_path: 'Line 3: two turns.' })).toBe(false)
})

test('a long caution is one line, the rest behind Why', () => {
  expect(headline(STRONG)).toBe('The effective learning rate is high.')
  expect(headline('The adam optimizer has no weight decay; adamw has.')).toBeNull()
})
