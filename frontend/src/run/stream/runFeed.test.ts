// @vitest-environment jsdom
import { expect, test } from 'vitest'

import { startRunFeed, type RunStores } from './runFeed'
import { framesReceived } from '@/api/stream/streamEvents'
import { runReducer, type RunSliceState } from '@/run/reducer/runSlice'
import { LogBook } from '@/run/log/logBook'
import { RunSeries } from '@/run/series/series'
import { FakeServer, FrameMaker } from '@/test/fakeServer'

function feed() {
  const server = new FakeServer()
  const stores: RunStores = { series: new RunSeries(), log: new LogBook() }
  const actions: { type: string }[] = []
  let state: RunSliceState = runReducer(undefined, { type: 'start' })
  const flushes: (() => void)[] = []
  startRunFeed({
    store: {
      dispatch: (action) => {
        actions.push(action)
        state = runReducer(state, action)
        return action
      },
    },
    stores,
    around: server.around,
    schedule: (flush) => flushes.push(flush),
    now: () => 0,
  })
  const flush = () => {
    for (const each of flushes.splice(0)) each()
  }
  return { server, ...stores, actions, flush, state: () => state, make: new FrameMaker() }
}

test('a burst of frames is one action and one pass over the stores', () => {
  const { server, actions, flush, series, log, make, state } = feed()
  server.send(make.snapshot({ series: { train: { step: [1], train_loss: [3] } }, logs: ['begin'] }))
  for (let step = 2; step <= 50; step += 1) server.send(make.point(step, 1 / step))
  flush()
  expect(actions.filter((action) => action.type === framesReceived.type)).toHaveLength(1)
  expect(series.train.length).toBe(50)
  expect(log.length).toBe(50)
  expect(state().run.metrics.current_step).toBe(50)
})

test('a reconnect in the middle leaves no hole and no double point', () => {
  const { server, flush, series, make } = feed()
  server.send(make.snapshot())
  const points = Array.from({ length: 9 }, (_, i) => make.point(i + 1, 1))
  server.send(...points.slice(0, 4))
  server.hangUp()
  server.pass(1000)
  server.send(...points.slice(2))
  flush()
  expect([...series.train.column('step')]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test('a snapshot after a lag replaces curves and log', () => {
  const { server, flush, series, log, make } = feed()
  server.send(make.snapshot(), make.point(1, 9), make.point(2, 8))
  server.send(make.snapshot({ series: { train: { step: [1, 2, 3], train_loss: [9, 8, 7] } }, logs: ['only'] }))
  flush()
  expect(series.train.length).toBe(3)
  expect(log.lines().map((line) => line.text)).toEqual(['only'])
})

test('points of another run are not drawn', () => {
  const { server, flush, series, make } = feed()
  server.send(make.snapshot(), make.point(1, 9), make.point(2, 1, 'run-2'))
  flush()
  expect([...series.train.column('step')]).toEqual([1])
})

test('best and checkpoints reach the chart', () => {
  const { server, flush, series, make } = feed()
  server.send(
    make.snapshot(),
    make.make('checkpoint_saved', { step: 25, path: 'c' }),
    make.make('best_model_updated', { step: 20, value: 0.5, path: 'b' }),
  )
  flush()
  expect(series.checkpoints).toEqual([25])
  expect(series.best?.step).toBe(20)
})

test('a loaded session is fetched whole by a new snapshot', () => {
  const { server, flush, make } = feed()
  server.send(make.snapshot(), make.make('session_loaded', { session_id: 's', state: 'completed', metrics: {}, config: null }))
  flush()
  expect(server.opened).toEqual(['ws://host/ws', 'ws://host/ws'])
})

test('curves and log lines stay out of Redux', () => {
  const { server, flush, state, actions, make } = feed()
  const step = Array.from({ length: 1000 }, (_, i) => i)
  server.send(make.snapshot({ series: { train: { step, train_loss: step } }, logs: Array<string>(1000).fill('x') }))
  flush()
  expect(JSON.stringify(actions).length).toBeLessThan(1000)
  expect(JSON.stringify(state()).length).toBeLessThan(1000)
})

test('the end of a run refreshes the list of sessions', () => {
  const { server, flush, actions, make } = feed()
  server.send(make.snapshot(), make.make('training_stopped', { session_id: 'run-1', message: 'Stopped.' }))
  flush()
  expect(actions.some((action) => action.type.endsWith('invalidateTags'))).toBe(true)
})
