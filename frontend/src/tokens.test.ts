/** Text can be read on every ground it stands on, in both themes: at least 4.5 : 1. */
import { describe, expect, test } from 'vitest'
import css from './tokens.css?raw'


const GROUNDS = ['canvas', 'sidebar', 'card', 'raised', 'sunken'] as const
const PAIRS: readonly (readonly [ink: string, grounds: readonly string[]])[] = [
  ['ink', [...GROUNDS, 'accent-wash']],
  ['soft', GROUNDS],
  ['faint', GROUNDS],
  ['accent', [...GROUNDS, 'accent-wash']],
  ['good', [...GROUNDS, 'good-wash']],
  ['warn', [...GROUNDS, 'warn-wash']],
  ['bad', [...GROUNDS, 'bad-wash']],
  ['on-accent', ['accent', 'accent-strong']],
  ['canvas', ['ink']],
  ['chart-axis', ['card', 'canvas']],
]

describe.each(['light', 'dark'])('%s', (theme) => {
  const tokens = tokensOf(theme)
  test.each(PAIRS.flatMap(([ink, grounds]) => grounds.map((ground) => [ink, ground] as const)))(
    '%s on %s',
    (ink, ground) => {
      expect(contrast(tokens[ink], tokens[ground])).toBeGreaterThanOrEqual(4.5)
    },
  )

  test.each(['group-attention', 'group-mlp', 'group-moe', 'group-linear', 'group-other', 'chart-train', 'chart-validation', 'chart-rate', 'chart-memory', 'bad-strong'])(
    '%s stands out from a card as a shape does: at least 2.7 : 1',
    (name) => {
      expect(contrast(tokens[name], tokens['card'])).toBeGreaterThanOrEqual(2.7)
    },
  )
})

test('both themes name the same tokens', () => {
  expect(Object.keys(tokensOf('dark')).sort()).toEqual(Object.keys(tokensOf('light')).sort())
})

test('no component has a colour of its own', () => {
  const sources = import.meta.glob<string>('./**/*.tsx', { query: '?raw', import: 'default', eager: true })
  const guilty = Object.entries(sources).filter(([, text]) => /#[0-9a-f]{3,8}\b(?!['"]?\s*\))|\brgba?\(|\bhsla?\(/i.test(text.replace(/href="#\w+"/g, '')))
  expect(guilty.map(([path]) => path)).toEqual([])
})

function tokensOf(theme: string): Readonly<Record<string, string>> {
  const block = new RegExp(`\\[data-theme='${theme}'\\] \\{([^}]*)\\}`).exec(css)?.[1] ?? ''
  const lines = [...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6});/gi)]
  return Object.fromEntries(lines.map(([, name, value]) => [name, value]))
}

/** WCAG 2: relative luminance of sRGB. */
function contrast(a: string | undefined, b: string | undefined): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05)
}

function luminance(hex: string | undefined): number {
  if (!hex) throw new Error('No such token.')
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * (r ?? 0) + 0.7152 * (g ?? 0) + 0.0722 * (b ?? 0)
}
