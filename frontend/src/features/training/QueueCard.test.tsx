import { act, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import axe from 'axe-core'
import { expect, test, vi } from 'vitest'

import type { QueuedRun } from '@/api/frames'
import { framesReceived } from '@/api/stream/streamEvents'
import { FrameMaker } from '@/test/fakeServer'
import { renderRoute, type Answers } from '@/test/renderRoute'
import { Toasts } from '@/ui/feedback/Toasts'
import { QueueCard } from './QueueCard'
import { StopDialog } from '@/features/training/commands/StopDialog'

vi.setConfig({ testTimeout: 30_000 })

const waiting = (name: string): QueuedRun => ({
  session_id: `id-${name}`,
  adapter_name: name,
  model_name: 'Qwen2.5-0.5B',
  method: 'sft',
  total_steps: 1200,
  queued_at: '2026-01-01T10:00:00Z',
})

function show(names: readonly string[], answers: Answers = {}) {
  const make = new FrameMaker()
  const frames = [make.snapshot({ queue: names.map(waiting) })]
  const page = renderRoute(
    <>
      <QueueCard />
      <StopDialog open onClose={() => undefined} hasBest={false} />
      <Toasts />
    </>,
    { frames, answers },
  )
  const hear = (next: readonly string[]) => {
    const frame = make.make('queue_changed', { queue: next.map(waiting) })
    act(() => void page.store.dispatch(framesReceived({ frames: [frame], at: 2 })))
  }
  return { ...page, hear }
}

const rows = () => within(screen.getByRole('list', { name: 'Waiting runs' })).getAllByRole('listitem')
const namesShown = () => rows().map((row) => /[a-z]+/.exec(row.textContent)?.[0])
const button = (name: string) => screen.getByRole('button', { name })
const off = (name: string) => button(name).getAttribute('aria-disabled')

test('without waiting runs there is no queue', () => {
  const { hear } = show([])
  expect(screen.queryByText('Queue')).toBeNull()
  hear(['one'])
  expect(screen.getByRole('heading', { name: 'Queue' })).toBeTruthy()
  hear([])
  expect(screen.queryByText('Queue')).toBeNull()
})

test('waiting runs stand in order, with what each will do', () => {
  show(['one', 'two'])
  expect(rows().map((row) => row.textContent)).toEqual([
    expect.stringContaining('1oneSFTQwen2.5-0.5B · 1,200 iterations · added'),
    expect.stringContaining('2twoSFT'),
  ])
  expect(screen.getByText(/^2 runs waiting/)).toBeTruthy()
  expect([off('Move one up'), off('Move one down'), off('Move two up'), off('Move two down')]).toEqual([
    'true', 'false', 'false', 'true',
  ])
})

test('a run is moved by the keyboard, and the server says the new order', async () => {
  const user = userEvent.setup()
  const { calls, hear } = show(['one', 'two'], { 'PATCH /training/queue/id-two': { body: { queue: [] } } })
  button('Move two up').focus()
  await user.keyboard('{Enter}')
  await screen.findByText('two is now number 1.')
  expect(calls.at(-1)).toEqual({ request: 'PATCH /training/queue/id-two', body: { position: 1 } })
  expect(namesShown(), 'nothing is claimed before the server says so').toEqual(['one', 'two'])
  hear(['two', 'one'])
  expect(namesShown()).toEqual(['two', 'one'])
})

test('a removed run leaves the focus in the list', async () => {
  const user = userEvent.setup()
  const { calls, hear } = show(['one', 'two'], { 'DELETE /training/queue/id-one': { body: { queue: [] } } })
  await user.click(button('Remove one from the queue'))
  await screen.findByText('one was removed from the queue.')
  expect(calls.at(-1)?.request).toBe('DELETE /training/queue/id-one')
  hear(['two'])
  expect(document.activeElement).toBe(screen.getByRole('list', { name: 'Waiting runs' }))
})

test('what the server refuses is told', async () => {
  const user = userEvent.setup()
  const body = { error: 'WrongState', detail: 'The run one is starting just now.', hint: 'Stop it instead.' }
  show(['one'], { 'DELETE /training/queue/id-one': { status: 409, body } })
  await user.click(button('Remove one from the queue'))
  await waitFor(() => expect(screen.getByText('The run one is starting just now.')).toBeTruthy())
})

test('the question before a stop names the run that follows', () => {
  const { hear } = show(['one', 'two'])
  expect(screen.getByRole('dialog', { hidden: true }).textContent).toContain('Then one starts, the next in the queue.')
  hear([])
  expect(screen.getByRole('dialog', { hidden: true }).textContent).not.toContain('the next in the queue')
})

test('the queue has no accessibility violation that axe can find', async () => {
  show(['one', 'two'])
  const card = screen.getByRole('region', { name: 'Queue', hidden: true })
  const { violations } = await axe.run(card, { rules: { 'color-contrast': { enabled: false }, region: { enabled: false } } })
  expect(violations.map((each) => each.id)).toEqual([])
})
