import { expect, test } from 'vitest'
import type { Values } from '@/start/fields/form'
import { headline, warningsOf } from './review'

const STRONG =
  'The effective learning rate is high: multiplier 32 × learning rate 0.0001 = 3.2e-03; the model may forget what it knew. Scaling alpha_over_rank would make the multiplier 1, and the product 1.0e-04.'
const VALUES = { lora_scaling: 'mlx', val_data_path: '', on_bad_rows: 'error' } as unknown as Values
const toneOf = (text: string, edits = {}) => warningsOf(VALUES, [text], edits)[0]?.tone

test('facts look like facts, and a default never warns', () => {
  expect(toneOf('15 of 150 rows are held out for validation, chosen by the seed.')).toBe('info')
  expect(toneOf('Full fine-tuning usually needs about a tenth of LoRA’s rate; 0.0001 may be too high.')).toBe('warn')
  expect(toneOf(STRONG)).toBe('info')
  expect(toneOf(STRONG, { learning_rate: '1e-3' })).toBe('warn')
})

test('a long caution is one line, the rest behind Why', () => {
  expect(headline(STRONG)).toBe('The effective learning rate is high.')
  expect(headline('The adam optimizer has no weight decay; adamw has.')).toBeNull()
})
