import { expect, test } from 'vitest'
import { parseMarkdown, parseSpans } from './markdown'

test('headings, paragraphs over lines, tables and code are told apart', () => {
  const text = '# One\n\nTwo\nthree\n\n| a | b |\n|---|---|\n| 1 | `2` |\n\n```json\n# no heading\n\n- none\n```'
  expect(parseMarkdown(text)).toEqual([
    { kind: 'heading', text: 'One' },
    { kind: 'paragraph', text: 'Two three' },
    { kind: 'table', head: ['a', 'b'], rows: [['1', '`2`']] },
    { kind: 'code', text: '# no heading\n\n- none' },
  ])
})

test('an item has its further lines and its code, and numbers go on after it', () => {
  const [list] = parseMarkdown('1. first\n   line\n\n   ```json\n   [\n     1\n   ]\n   ```\n2. second\n')
  expect(list).toEqual({
    kind: 'list',
    ordered: true,
    items: [
      [
        { kind: 'paragraph', text: 'first line' },
        { kind: 'code', text: '[\n  1\n]' },
      ],
      [{ kind: 'paragraph', text: 'second' }],
    ],
  })
})

test('words are marked, links are their words, and a lone star is a star', () => {
  expect(parseSpans('a `b*` **c** *d* [e](f.md) 2 * 3')).toEqual([
    { kind: 'text', text: 'a ' },
    { kind: 'code', text: 'b*' },
    { kind: 'text', text: ' ' },
    { kind: 'strong', text: 'c' },
    { kind: 'text', text: ' ' },
    { kind: 'emphasis', text: 'd' },
    { kind: 'text', text: ' e 2 * 3' },
  ])
})
