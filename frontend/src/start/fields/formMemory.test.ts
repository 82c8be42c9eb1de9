// @vitest-environment jsdom
import { expect, test } from 'vitest'
import { configText, readConfig } from '@/start/review/config/configFile'
import { defaultsFor, suggestedRun, valuesOf } from './form'
import { forgetForm, recallForm, rememberForm } from './formMemory'
import { DEMO } from '@/test/formSamples'
import { SETUP } from '@/start/page/setupSpec'

test('the form is remembered and can be forgotten', () => {
  const form = { edits: { lora_rank: '64', early_stop: false, lora_keys: ['a'] }, level: 'advanced' } as const
  rememberForm(SETUP, form)
  expect(recallForm(SETUP)).toEqual(form)
  forgetForm(SETUP)
  expect(recallForm(SETUP)).toEqual({ edits: {}, level: 'simple' })
})

test('a window keeps its own form beside another one, and a new window begins with the last', () => {
  const first = { edits: { lora_rank: '64' }, level: 'simple' } as const
  const second = { edits: { lora_rank: '8' }, level: 'advanced' } as const
  rememberForm(SETUP, first)
  const ofFirst = { ...sessionStorage } as Record<string, string>
  sessionStorage.clear()
  expect(recallForm(SETUP), 'a new window').toEqual(first)
  rememberForm(SETUP, second)
  sessionStorage.clear()
  for (const [key, text] of Object.entries(ofFirst)) sessionStorage.setItem(key, text)
  expect(recallForm(SETUP), 'the first window after a reload').toEqual(first)
})

test.each(['{', 'null', '[]', '7', '"x"', '{"edits":[1]}', '{"edits":{"gone":"1","lora_rank":{"a":1}},"level":9}'])(
  'stored garbage %s gives an empty form',
  (text) => {
    localStorage.setItem('droid.setup', text)
    expect(recallForm(SETUP)).toEqual({ edits: {}, level: 'simple' })
  },
)

test('a saved configuration fills the form as it was, and names what it can’t hold', () => {
  const values = valuesOf({ lora_rank: '8', learning_rate: '2e-5', val_split: '0.2' }, suggestedRun(SETUP, { model: DEMO }))
  const text = configText(SETUP, values)
  expect(JSON.parse(text)).toMatchObject({ lora_rank: 8, learning_rate: 2e-5, iterations: 120 })
  const extended = JSON.stringify({ ...(JSON.parse(text) as object), lr: 1, seed: 'zero', queue: true })
  const loaded = readConfig(SETUP, extended)
  if (loaded.kind !== 'config') throw new Error(loaded.message)
  expect(valuesOf(loaded.edits, defaultsFor(SETUP, { model: null }))).toEqual({ ...values, seed: 'zero' })
  expect([...loaded.left].sort()).toEqual(['lr', 'queue'])
})

test('an unfinished form is saved without what can’t be sent', () => {
  const text = configText(SETUP, valuesOf({ lora_rank: '' }, suggestedRun(SETUP, { model: DEMO })))
  expect(JSON.parse(text)).not.toHaveProperty('lora_rank')
})

test.each(['', 'x', '[]', '{}', '{"lr": 1}'])('a file with %s is refused with a sentence', (text) => {
  expect(readConfig(SETUP, text)).toMatchObject({ kind: 'problem', message: expect.stringMatching(/\.$/) })
})
