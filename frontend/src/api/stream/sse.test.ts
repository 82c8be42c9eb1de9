import { expect, test } from 'vitest'
import { SseParser } from './sse'

const STREAM = 'event: plan\ndata: {"mode":"batch"}\n\n: still there\n\nevent: token\ndata: {"text":"é — 🛶"}\n\ndata: one\ndata: two\n\n'
const WHOLE = [
  { event: 'plan', data: '{"mode":"batch"}' },
  { event: 'token', data: '{"text":"é — 🛶"}' },
  { event: 'message', data: 'one\ntwo' },
]

test.each(['\n', '\r\n', '\r'])('lines may end with %j', (end) => {
  const text = STREAM.replaceAll('\n', end)
  // The last \r could still become \r\n, so what it ends is known with the next character.
  expect([...new SseParser().push(`${text}:`)]).toEqual(WHOLE)
})

test.each([1, 2, 3, 7, 50])('pieces of %i characters give the same events', (size) => {
  for (const end of ['\n', '\r\n']) {
    const text = STREAM.replaceAll('\n', end)
    const parser = new SseParser()
    const found = []
    for (let at = 0; at < text.length; at += size) found.push(...parser.push(text.slice(at, at + size)))
    expect(found).toEqual(WHOLE)
  }
})

test('what is not finished is no event, and what has no data is none either', () => {
  const parser = new SseParser()
  expect(parser.push('event: end\n\ndata: {"half')).toEqual([])
  expect(parser.push('"}\n')).toEqual([])
  expect(parser.push('\n')).toEqual([{ event: 'message', data: '{"half"}' }])
})

test('only one space after the colon belongs to the form, and other fields are passed over', () => {
  const parser = new SseParser()
  expect(parser.push('id: 4\nretry: 100\ndata:  two spaces\ndata\n\n')).toEqual([{ event: 'message', data: ' two spaces\n' }])
})
