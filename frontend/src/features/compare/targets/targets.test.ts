import { expect, test } from 'vitest'
import { choicesOf, filtered } from './choices'
import { AVAILABLE, SESSIONS } from '@/features/compare/samples'
import { knownTargets, linkedTargets, readTarget, suggestedTargets, writeTarget, type Target } from './targets'
import { choiceOfKey, pairsOf, shuffled, winnerOf } from '@/features/compare/vote/vote'

const BASE: Target = { model: 'demo', adapter: null, checkpoint: null }
const BEST: Target = { model: 'demo', adapter: 'captain', checkpoint: 'best' }

test.each([BASE, BEST, { ...BEST, checkpoint: 200 }, { ...BEST, checkpoint: null }, { ...BEST, model: 'a::b+c@d' }])(
  'a target comes back from the address as it went in: %j',
  (target) => expect(readTarget(writeTarget(target))).toEqual(target),
)

test('a link to an adapter brings its base along; one that is gone is named', () => {
  expect(linkedTargets(['captain@100', 'gone'], AVAILABLE)).toEqual({
    targets: [BASE, { ...BEST, checkpoint: 100 }],
    missing: ['gone'],
  })
})

test('an adapter that records no base is put behind one, one of another base is not', () => {
  expect(linkedTargets(['plain', 'stray'], AVAILABLE)).toEqual({
    targets: [BASE, { model: 'demo', adapter: 'plain', checkpoint: null }],
    missing: ['stray'],
  })
})

test('without a choice the adapter that was trained last stands beside its base', () => {
  expect(suggestedTargets(AVAILABLE, SESSIONS)).toEqual([BASE, { ...BEST, checkpoint: null }])
  expect(suggestedTargets({ models: [] }, [])).toEqual([])
})

test('what was remembered and is gone is left out', () => {
  expect(knownTargets([BASE, { ...BEST, adapter: 'gone' }, { ...BASE, model: 'other' }], AVAILABLE)).toEqual([BASE])
})

test('each adapter says how ready it is', () => {
  const choices = choicesOf(AVAILABLE, SESSIONS, Date.parse('2026-11-20T12:00:00Z'))
  const words = Object.fromEntries(choices.groups[0]?.choices.map(({ name, readiness }) => [name, readiness]) ?? [])
  expect(words).toEqual({ captain: 'new', old: 'legacy', half: 'training', torn: 'damaged' })
  expect(choices.foreign.map(({ name, readiness, note }) => [name, readiness, note])).toEqual([
    ['stray', 'wrong_base', 'It was trained on Org/other, which is not on this machine.'],
  ])
  expect(choices.baseless.map(({ name, readiness }) => [name, readiness])).toEqual([['plain', 'unknown_base']])
  expect(choices.gone.map(({ name, readiness }) => [name, readiness])).toEqual([
    ['deleted', 'missing'],
    ['diverged', 'none'],
  ])
  expect(choices.groups[0]?.choices[0]?.checkpoints).toEqual(['best', 'latest', 100, 200])
  const found = filtered(choices, 'LEGACY demo')
  expect(found.groups[0]?.choices.map(({ name }) => name)).toEqual(['old'])
  expect([found.foreign, found.baseless]).toEqual([[], []])
})

test('an adapter can be measured on its own base, or on those it fits where it records none', () => {
  expect(pairsOf(AVAILABLE).map(({ key, label }) => [key, label])).toEqual([
    ['demo::captain', 'captain'],
    ['demo::old', 'old'],
    ['demo::plain', 'plain on demo'],
  ])
})

test('a vote counts for whoever stood on the chosen side', () => {
  expect([winnerOf(1, [BASE, BEST]), winnerOf(2, [BASE, BEST]), winnerOf(1, [BEST, BASE]), winnerOf(0, [BEST, BASE])]).toEqual([
    'base',
    'adapter',
    'adapter',
    'tie',
  ])
  expect([shuffled([BASE, BEST], () => 0.2), shuffled([BASE, BEST], () => 0.7)]).toEqual([[BASE, BEST], [BEST, BASE]])
  expect(['1', '2', '0', '3'].map(choiceOfKey)).toEqual([1, 2, 0, null])
})
