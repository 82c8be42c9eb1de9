import { fireEvent, render, screen, within } from '@testing-library/react'
import { expect, test } from 'vitest'
import { AnswerTimeline } from './AnswerTimeline'
import { promptAnswers, samplePrompts } from './promptAnswers'
import type { Sample } from './SampleList'

const sample = (step: number, text: string): Sample => ({ step, prompt: 'Why?', text, split: 'prompt' })
const config = { sample_prompts: ['Why?', 'How?'] }
const shown = (samples: readonly Sample[]) => (
  <AnswerTimeline answers={promptAnswers(samples, samplePrompts(config))} waiting="Not yet." />
)

test('the newest answer stands beside the base, and the slider goes back', () => {
  const { rerender } = render(shown([sample(0, 'base'), sample(20, '<b>first</b>')]))
  const [why, how] = screen.getAllByRole('listitem')
  if (!why || !how) throw new Error('a prompt is missing')
  const slider = screen.getByRole('slider', { name: 'Answers of iteration' })
  expect(within(why).getByRole('group', { name: 'Base model' }).textContent).toBe('base')
  expect(within(why).getByRole('group', { name: 'After iteration 20' }).textContent).toBe('<b>first</b>')
  expect(within(how).getByRole('group', { name: 'Base model' }).textContent).toBe('—')
  rerender(shown([sample(0, 'base'), sample(20, 'first'), sample(40, 'second')]))
  expect(within(why).getByRole('group', { name: 'After iteration 40' }).textContent).toBe('second')
  fireEvent.change(slider, { target: { value: '1' } })
  expect(slider.getAttribute('aria-valuetext')).toBe('After iteration 20')
  expect(within(why).getByRole('group', { name: 'After iteration 20' }).textContent).toBe('first')
})

test('before the first answer it says what is waited for', () => {
  render(shown([]))
  expect(screen.getByText('Not yet.')).toBeTruthy()
})
