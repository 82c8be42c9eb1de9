import { expect, test } from 'vitest'

import { Ring } from './ring'

test('a ring keeps the newest items and counts the dropped ones', () => {
  const ring = new Ring<number>(3)
  for (const item of [1, 2, 3, 4, 5]) ring.push(item)
  expect(ring.toArray()).toEqual([3, 4, 5])
  expect([ring.length, ring.total, ring.dropped]).toEqual([3, 5, 2])
  expect([ring.at(0), ring.at(2), ring.at(3), ring.at(-1)]).toEqual([3, 5, undefined, undefined])
})

test('a ring that is not full gives back what came, in order', () => {
  const ring = new Ring<string>(8)
  ring.push('a')
  ring.push('b')
  expect(ring.toArray()).toEqual(['a', 'b'])
})

test('a cleared ring begins again at nothing', () => {
  const ring = new Ring<number>(2)
  for (const item of [1, 2, 3]) ring.push(item)
  ring.clear()
  ring.push(9)
  expect(ring.toArray()).toEqual([9])
  expect(ring.total).toBe(1)
})

test('a ring without room is refused', () => {
  expect(() => new Ring(0)).toThrow('room for at least one')
})
