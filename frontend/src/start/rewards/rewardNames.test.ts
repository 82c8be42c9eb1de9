// @vitest-environment jsdom
import { expect, test } from 'vitest'

import { insideParts, readChosen, splitNames, withPart, wholeName, writeChosen } from './rewardNames'
import { splitCompletions } from './TryDialog'

test('commas in brackets belong to the function, a backslash takes the next letter with it', () => {
  expect(splitNames('token_f1, regex_match(^\\d{1,3}$), length_window(20;80)')).toEqual([
    'token_f1',
    'regex_match(^\\d{1,3}$)',
    'length_window(20;80)',
  ])
  expect(splitNames('regex_match(\\(a,b), token_f1')).toEqual(['regex_match(\\(a,b)', 'token_f1'])
  expect(splitNames(' , ')).toEqual([])
})

test('what is read is written again', () => {
  const names = 'token_f1, length_window(20;80), json_schema({"a":1})'
  const chosen = readChosen(names, '[1, 0.5, 2]')
  expect(chosen.map((each) => [each.name, each.inside, each.weight])).toEqual([
    ['token_f1', '', '1'],
    ['length_window', '20;80', '0.5'],
    ['json_schema', '{"a":1}', '2'],
  ])
  expect(writeChosen(chosen)).toEqual({ names, weights: '[1, 0.5, 2]' })
})

test('weights of 1 are not written, and one that is being typed stays as it is', () => {
  expect(writeChosen(readChosen('a, b', '')).weights).toBe('')
  expect(writeChosen([{ name: 'a', inside: '', weight: '0.' }, { name: 'b', inside: '', weight: '' }]).weights).toBe('[0., 1]')
})

test('a part is edited by its place; empty parts at the end are left to their defaults', () => {
  expect(insideParts('20;80', 3)).toEqual(['20', '80', ''])
  expect(withPart('20;80', 3, 2, 'words')).toBe('20;80;words')
  expect(withPart('20;80', 3, 1, '')).toBe('20')
  expect(withPart('harbour;anchor', 1, 0, 'a;b')).toBe('a;b')
  expect(wholeName({ name: 'f', inside: ' ' })).toBe('f')
})

test('pasted completions are told apart by a line of dashes', () => {
  expect(splitCompletions('one\nline\n---\n\ntwo\n---\n')).toEqual(['one\nline', 'two'])
  expect(splitCompletions('  ')).toEqual([])
})
