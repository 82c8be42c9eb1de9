import { expect, test } from 'vitest'

import type { RunComparison as Comparison } from '@/api/generated'
import { curveData, curveNames } from './runCurves'
import { comparisonCsv, comparisonMarkdown, resultRows } from './runTable'

const run = (name: string, series: Comparison['runs'][number]['series']): Comparison['runs'][number] => ({
  session_id: `id-${name}`,
  name,
  state: 'completed',
  method: 'sft',
  model_name: 'Tiny',
  series,
  final: { train_loss: 0.25, current_step: 30 },
  best: { metric: 'val_loss', value: 0.5, step: 20 },
  resources: { duration_seconds: 12, tokens_per_second: null, peak_memory_gb: 1.5, adapter_bytes: 1000, trainable_parameters: 2000 },
})
const comparison: Comparison = {
  x: 'step',
  runs: [
    run('=a', { kl: [[10, 1]], val_loss: [[20, 0.5]], train_loss: [[10, 4], [30, 2]] }),
    run('b|c', { train_loss: [[20, 1], [40, null]] }),
  ],
  differences: [{ field: 'lora_rank', values: [8, null] }],
  held_out: { same: true, rows: [4, 4], common: 4, message: 'All runs were validated on the same 4 held-out rows.' },
}

test('losses come first among the curves', () => {
  expect(curveNames(comparison)).toEqual(['train_loss', 'val_loss', 'kl'])
})

test('a run is drawn between its own points and nowhere else', () => {
  const data = curveData(comparison, 'train_loss', 0)
  expect([...data.x]).toEqual([10, 20, 30])
  expect([...(data.lines[0] ?? [])]).toEqual([4, 3, 2])
  expect([...(data.lines[1] ?? [])]).toEqual([NaN, 1, NaN])
})

test('the CSV has the recorded points and no formula', () => {
  expect(comparisonCsv(comparison).trim().split('\n')).toEqual([
    'session_id,name,curve,step,value',
    'id-=a,"\'=a",train_loss,10,4',
    'id-=a,"\'=a",train_loss,30,2',
    'id-=a,"\'=a",val_loss,20,0.5',
    'id-=a,"\'=a",kl,10,1',
    'id-b|c,"b|c",train_loss,20,1',
    'id-b|c,"b|c",train_loss,40,',
  ])
})

test('the Markdown has numbers, differences and the held-out rows', () => {
  const text = comparisonMarkdown(comparison)
  expect(text).toContain('| | =a | b\\|c |')
  expect(text).toContain('| lora_rank | 8 | — |')
  expect(text).toContain('same 4 held-out rows')
})

test('what no run has is no row', () => {
  const labels = resultRows(comparison).map((row) => row.label)
  expect(labels).toContain('Adapter size')
  expect(labels).not.toContain('Tokens/s')
})
