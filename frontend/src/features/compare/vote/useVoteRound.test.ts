// @vitest-environment jsdom
import { act, renderHook } from '@testing-library/react'
import { expect, test } from 'vitest'
import { begin, finished, type Asked, type Question } from '@/features/compare/ask/asked'
import { Asker } from '@/features/compare/ask/asker'
import { questionOf } from '@/features/compare/prompt/question'
import { SAMPLING } from '@/features/compare/prompt/sampling'
import { useVoteRound } from './useVoteRound'

const QUESTION = questionOf({
  prompt: 'Who are you?',
  form: SAMPLING,
  targets: [
    { model: 'demo', adapter: 'captain', checkpoint: null },
    { model: 'demo', adapter: null, checkpoint: null },
  ],
  duringRun: false,
}) as Question
const ASKING = begin(QUESTION)
const PAIR: Asked = { ...finished(ASKING), state: 'done' }

/** The page as a reload finds it: what was in memory is gone. */
function reload() {
  const asker = new Asker()
  const view = renderHook(({ asked, voted }) => useVoteRound(asker, asked, voted), {
    initialProps: { asked: null as Asked | null, voted: false },
  })
  return { asker, ...view }
}

test('a pair that was not voted on is there after a reload, with the prompts behind it, until the vote', () => {
  const first = reload()
  act(() => first.result.current[1](['Two?', 'Three?']))
  first.rerender({ asked: PAIR, voted: false })
  first.unmount()

  const second = reload()
  expect(second.asker.snapshot().asked).toEqual(PAIR)
  expect(second.result.current[0]).toEqual(['Two?', 'Three?'])
  second.rerender({ asked: PAIR, voted: true })
  second.unmount()

  const third = reload()
  expect(third.asker.snapshot().asked).toBeNull()
  expect(third.result.current[0]).toEqual(['Two?', 'Three?'])
})

test('a prompt whose answers a reload cut off is asked again first', () => {
  const { result, rerender } = reload()
  act(() => result.current[1](['Two?']))
  rerender({ asked: ASKING, voted: false })
  expect(reload().result.current[0]).toEqual(['Who are you?', 'Two?'])
})
