import { expect, test } from 'vitest'

import { loss } from '@/lib/format'
import { RunSeries } from '@/run/series/series'
import { seriesRows } from '@/run/series/seriesTable'
import { readoutRows } from './chartReadout'
import { mainSource } from '@/run/charts/chartSources'
import { mainCurve } from '@/run/charts/mainCurve'
import type { ChartStyle } from './chartTypes'

const style: ChartStyle = {
  minHeight: 10,
  xLabel: 'Iteration',
  lines: [
    { label: 'raw', color: 'a', format: loss, quiet: true },
    { label: 'train', color: 'b', format: loss },
  ],
  points: { label: 'validation', color: 'c', format: loss },
}
const series = RunSeries.from({
  train: { step: [10, 20, 30], train_loss: [3, null, 1] },
  validation: { step: [20], val_loss: [1.5] },
  best: { step: 20, value: 1.5 },
})

test('the readout has the smoothed loss and the last validation before the cursor', () => {
  const data = mainSource(mainCurve('loss'), series, 0).read()
  const texts = (index: number) => readoutRows(data, style, index).map((row) => row.text)
  expect(texts(0)).toEqual(['3.000', '—'])
  expect(texts(1)).toEqual(['—', '1.500'])
  expect(texts(2)).toEqual(['1.000', '1.500'])
})

test('the source hands on the columns without copying and rings the best', () => {
  const data = mainSource(mainCurve('loss'), series, 0.6).read()
  expect(data.lines[0]?.buffer).toBe(series.train.column('train_loss').buffer)
  expect(data.ring).toEqual({ x: 20, y: 1.5 })
  expect(seriesRows(series)).toHaveLength(3)
})
