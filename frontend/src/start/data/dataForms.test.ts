import { expect, test } from 'vitest'
import { convertedName, formInfo, guessMapping, mappedForm, splitFolder } from './dataForms'
import { segmentsOf, shownText } from '@/features/data/rows/segments'
import { PREVIEW } from '@/test/dataSamples'

test('columns are guessed by the usual names', () => {
  expect(guessMapping(formInfo('grpo'), ['id', 'Question', 'solution'])).toEqual({ prompt: 'Question', answer: 'solution' })
  expect(guessMapping(formInfo('preference'), ['a', 'b'])).toEqual({})
})

test('a text that is the same in every row is guessed to instruct', () => {
  const sample = [1, 2].map((n) => ({ id: n, anweisung: 'Kurz.', frage: `Wo ist ${n}?`, erwiderung: `Im Regal ${n}.` }))
  const columns = ['id', 'anweisung', 'frage', 'erwiderung']
  const expected = { system: 'anweisung', prompt: 'frage', completion: 'erwiderung' }
  expect(guessMapping(mappedForm('chat'), columns, sample)).toEqual(expected)
  expect(guessMapping(mappedForm('chat'), columns.slice(2), sample)).toEqual({ prompt: 'frage', completion: 'erwiderung' })
})

test('the name of a class is no instruction, even where the first rows are all of one class', () => {
  const sample = [1, 2].map((n) => ({ Question: `Where is ${n}?`, Reply: `On shelf ${n}.`, Category: 'storage' }))
  expect(guessMapping(mappedForm('chat'), ['Question', 'Reply', 'Category'], sample)).toEqual({ prompt: 'Question', completion: 'Reply' })
})

test('new files are named for what they come from', () => {
  expect(convertedName('/data/rows.csv', 'grpo')).toBe('rows-grpo.jsonl')
  expect(convertedName('/data/chat/train.jsonl', 'text')).toBe('chat-text.jsonl')
  expect(splitFolder('/data/chat/train.jsonl')).toBe('chat-split')
})

test('tokens are told in runs of one kind', () => {
  expect(segmentsOf(PREVIEW.tokens).map(({ kind, at, tokens }) => [kind, at, tokens.length])).toEqual([
    ['read', 0, 2],
    ['learned', 2, 1],
    ['cut', 3, 1],
  ])
})

test('what can’t be seen has a sign', () => {
  expect(shownText('a\n')).toBe('a↵\n')
  expect(shownText('\t')).toBe('⇥\t')
  expect(shownText('')).toBe('·')
})
