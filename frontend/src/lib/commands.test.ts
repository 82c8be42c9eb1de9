import { expect, test, vi } from 'vitest'
import { onCommand, sendCommand } from './commands'

test('a command goes to the page that listens, once', () => {
  const stop = vi.fn()
  const end = onCommand('stop-training', stop)
  sendCommand('stop-training')
  sendCommand('open-training-data')
  expect(stop).toHaveBeenCalledOnce()
  end()
  sendCommand('stop-training')
  expect(stop).toHaveBeenCalledOnce()
})

test('a command that is sent before its page is open waits for it, and only a while', () => {
  vi.useFakeTimers()
  const open = vi.fn()
  sendCommand('open-training-data')
  onCommand('open-training-data', open)()
  expect(open).toHaveBeenCalledOnce()
  sendCommand('open-training-data')
  vi.advanceTimersByTime(6000)
  onCommand('open-training-data', open)()
  expect(open).toHaveBeenCalledOnce()
  vi.useRealTimers()
})
