// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { paced } from './chartPace'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'requestAnimationFrame', 'cancelAnimationFrame'] })
})
afterEach(() => {
  vi.useRealTimers()
})

test('a hundred points within one frame are one draw', () => {
  const draw = vi.fn()
  const pace = paced(draw)
  for (let i = 0; i < 100; i += 1) pace.ask()
  vi.advanceTimersByTime(20)
  expect(draw).toHaveBeenCalledTimes(1)
})

test('after a slow draw the page gets four times as long for itself, and the last point is still drawn', () => {
  let clock = 0
  vi.spyOn(performance, 'now').mockImplementation(() => clock)
  const draw = vi.fn(() => {
    clock += 50
  })
  const pace = paced(draw)
  pace.ask()
  vi.advanceTimersByTime(16)
  pace.ask()
  vi.advanceTimersByTime(199)
  expect(draw).toHaveBeenCalledTimes(1)
  vi.advanceTimersByTime(20)
  expect(draw).toHaveBeenCalledTimes(2)
})

test('a cancelled pace draws nothing more', () => {
  const draw = vi.fn()
  const pace = paced(draw)
  pace.ask()
  pace.cancel()
  vi.advanceTimersByTime(100)
  expect(draw).not.toHaveBeenCalled()
})
