import { expect, test } from 'vitest'
import type { SampleData } from '@/api/frames'
import { withSample } from './samples'

const answer = (step: number, prompt: string, text: string): SampleData => ({ step, prompt, text, split: 'prompt' })

test('an answer that comes again takes the place of the old one, and rows stay apart', () => {
  const row: SampleData = { step: 5, prompt: 'r', text: 'row', split: 'train' }
  const all = [answer(10, 'a', 'old'), row, answer(0, 'a', 'base'), answer(10, 'a', 'new')].reduce(withSample, [] as readonly SampleData[])
  expect(all.map(({ text }) => text)).toEqual(['row', 'base', 'new'])
})

test('of a long run the first and the newest answers are kept, as the server keeps them', () => {
  const all = Array.from({ length: 100 }, (_, step) => answer(step, 'a', String(step))).reduce(withSample, [] as readonly SampleData[])
  expect(all.length).toBeLessThanOrEqual(32)
  expect([all[0]?.text, all.at(-1)?.text]).toEqual(['0', '99'])
})
