import { expect, test } from 'vitest'

import { chosenAdapters, groupsOf, readTags, savingWords } from './adapterGroups'
import { adapter, model } from '@/test/modelSamples'

const SUPPORT = adapter({ name: 'support', tags: ['support', 'german'], size_bytes: 6_000_000 })
const MATHS = adapter({ name: '数学', tags: ['maths'], size_bytes: 4_000_000 })
const LOST = adapter({ name: 'lost', base_name: null, base_model: '/gone/Llama', size_bytes: 9 })

test('adapters stand under their base, those of a base that is not here with that word', () => {
  const groups = groupsOf([LOST, SUPPORT, MATHS, adapter({ name: 'x', base_name: null, base_model: null })], 'base')
  expect(groups.map(({ name, note, adapters }) => [name, note, adapters.map((each) => each.name)])).toEqual([
    ['demo', null, ['support', '数学']],
    ['Llama', 'not on this machine', ['lost']],
    ['Base not recorded', null, ['x']],
  ])
})

test('by task, an adapter stands under each of its tags and the rest comes last', () => {
  const groups = groupsOf([LOST, SUPPORT, MATHS], 'task')
  expect(groups.map(({ name, adapters }) => [name, adapters.length])).toEqual([
    ['german', 1],
    ['maths', 1],
    ['support', 1],
    ['Without a tag', 1],
  ])
})

test('what adapters save is counted of those whose base is here', () => {
  const models = [model({ name: 'demo', size_bytes: 980_000_000 })]
  expect(savingWords([SUPPORT, MATHS], models)).toBe('2 adapters, 10 MB, instead of 2 models, 2.0 GB')
  expect(savingWords([SUPPORT, LOST], models)).toContain('1 adapter, 6.0 MB, instead of 1 model, 980 MB (1 more not counted')
  expect(savingWords([SUPPORT], [])).toBeNull()
  expect(savingWords([adapter({ type: 'full', size_bytes: 1 })], models)).toBeNull()
})

test('a filter looks at name, base, tags and data', () => {
  expect(chosenAdapters([SUPPORT, MATHS, LOST], 'demo german').map((each) => each.name)).toEqual(['support'])
  expect(chosenAdapters([SUPPORT, LOST], 'llama').map((each) => each.name)).toEqual(['lost'])
})

test('tags are typed with commas, each once', () => {
  expect(readTags(' a, b ,,a')).toEqual(['a', 'b'])
})
