import { render, screen } from '@testing-library/react'
import { expect, test } from 'vitest'
import type { MemoryEstimate } from '@/api/generated'
import { ModelFacts } from './ModelFacts'
import { QWEN } from '@/test/formSamples'

const memory = (verdict: MemoryEstimate['verdict']): MemoryEstimate => ({
  estimate_gb: 7.3,
  parts: {},
  available_gb: 8,
  verdict,
})

test.each([
  ['ok', 'Fits · ~7.3 GB'],
  ['tight', 'Tight · ~7.3 GB'],
  ['too_large', 'Needs ~7.3 GB'],
] as const)('a run that is %s says so beside its model', (verdict, words) => {
  render(<ModelFacts model={QWEN} memory={memory(verdict)} />)
  expect(screen.getByText(words)).toBeTruthy()
})

test('what is not known is not claimed', () => {
  render(<ModelFacts model={QWEN} memory={memory(null)} />)
  expect(screen.queryByText(/GB$/)).toBeNull()
})
