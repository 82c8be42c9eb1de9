import { expect, test } from 'vitest'

import { backOff, openEventStream, SILENCE_MS, streamUrl, type Connection } from '@/api/stream/eventStream'
import type { Frame } from '@/api/frames'
import { FakeServer, FrameMaker } from '@/test/fakeServer'

function connect() {
  const server = new FakeServer()
  const frames: Frame[] = []
  const connections: Connection[] = []
  const stream = openEventStream(server.around, {
    onFrame: (frame) => frames.push(frame),
    onConnection: (connection) => connections.push(connection),
  })
  return { server, frames, connections, stream, make: new FrameMaker() }
}

test('the first connection asks for everything and is connected with its first frame', () => {
  const { server, frames, connections, make } = connect()
  expect(server.opened).toEqual(['ws://host/ws'])
  expect(connections).toEqual(['connecting'])
  server.send(make.snapshot(), make.point(1, 2))
  expect(connections).toEqual(['connecting', 'connected'])
  expect(frames.map((frame) => frame.type)).toEqual(['training_state', 'training_progress'])
})

test('after a lost line it asks for what it missed and takes the replay', () => {
  const { server, frames, connections, make } = connect()
  server.send(make.snapshot(), make.point(1, 2))
  const missed = make.point(2, 1)
  server.hangUp()
  expect(connections.at(-1)).toBe('reconnecting')
  server.pass(300)
  expect(server.opened.at(-1)).toBe('ws://host/ws?since=1&epoch=epoch-1')
  server.send(missed)
  expect(connections.at(-1)).toBe('connected')
  expect(frames).toHaveLength(3)
})

test('a hole in the numbers makes it ask again instead of going on', () => {
  const { server, frames, make } = connect()
  server.send(make.snapshot(), make.point(1, 3))
  const lost = make.point(2, 2)
  const late = make.point(3, 1)
  server.send(late)
  expect(frames).toHaveLength(2)
  server.pass(300)
  expect(server.opened.at(-1)).toContain('since=1')
  server.send(lost, late)
  expect(frames).toHaveLength(4)
})

test('a restarted server is asked for a snapshot, not for the old numbers', () => {
  const { server, frames, make } = connect()
  server.send(make.snapshot(), make.point(1, 3))
  server.hangUp()
  server.pass(300)
  const restarted = new FrameMaker('epoch-2')
  server.send(restarted.snapshot({ state: 'running' }), restarted.point(2, 2))
  expect(frames.map((frame) => frame.epoch)).toEqual(['epoch-1', 'epoch-1', 'epoch-2', 'epoch-2'])
})

test('silence of 45 seconds is a dead line, a ping keeps it alive', () => {
  const { server, connections, make } = connect()
  server.send(make.snapshot())
  const ping: Frame = { type: 'ping', seq: 0, epoch: 'epoch-1', session_id: null, data: {} }
  server.pass(SILENCE_MS - 1)
  server.send(ping)
  server.pass(SILENCE_MS - 1)
  expect(connections.at(-1)).toBe('connected')
  server.pass(1)
  expect(connections.at(-1)).toBe('reconnecting')
  server.pass(300)
  expect(server.opened).toHaveLength(2)
})

test('a server that is down is tried again with growing waits', () => {
  const { server, connections } = connect()
  for (const wait of [300, 600, 1200, 2400, 4800, 9600, 10_000, 10_000]) {
    const tries = server.opened.length
    server.hangUp()
    server.pass(wait - 1)
    expect(server.opened).toHaveLength(tries)
    server.pass(1)
    expect(server.opened).toHaveLength(tries + 1)
  }
  expect(new Set(connections)).toEqual(new Set(['connecting', 'reconnecting']))
})

test('the wait is spread between half and the whole', () => {
  expect(backOff(0, 0)).toBe(150)
  expect(backOff(0, 0.999)).toBe(300)
  expect(backOff(50, 1)).toBe(10_000)
})

test('the network being back is used at once, and only when the line is down', () => {
  const { server, stream, make } = connect()
  server.send(make.snapshot())
  stream.retryNow()
  expect(server.opened).toHaveLength(1)
  server.hangUp()
  stream.retryNow()
  expect(server.opened).toHaveLength(2)
  server.pass(5000)
  expect(server.opened).toHaveLength(2)
})

test('a resync asks for everything again', () => {
  const { server, stream, make } = connect()
  server.send(make.snapshot(), make.point(1, 2))
  stream.resync()
  expect(server.opened.at(-1)).toBe('ws://host/ws')
})

test('what is no frame is left out', () => {
  const { server, frames, make } = connect()
  for (const text of ['not json', '[]', 'null', '{"type":"x"}', 42]) server.sendText(text)
  server.send(make.snapshot())
  expect(frames).toHaveLength(1)
})

test('a closed stream says and does nothing more', () => {
  const { server, stream, connections, make } = connect()
  server.send(make.snapshot())
  stream.close()
  server.pass(100_000)
  expect(server.connected).toBe(false)
  expect(server.opened).toHaveLength(1)
  expect(connections.at(-1)).toBe('connected')
})

test('the address follows the page', () => {
  expect(streamUrl('http://127.0.0.1:8000/#/training')).toBe('ws://127.0.0.1:8000/ws')
  expect(streamUrl('https://host/app/')).toBe('wss://host/ws')
})
