import { describe, expect, test } from 'vitest'
import { FIELDS } from '@/api/fields'
import type { StandardStart } from '@/api/generated'
import { applies } from './applies'
import { fieldIn } from './spec'
import { parseDraft, type Edits } from './fieldRules'
import { defaultsFor, draftsOf, edited, freeName, handedEdits, suggestedRun, toRequest, unusualFields, valuesOf } from './form'
import { DEMO, QWEN } from '@/test/formSamples'
import { SETUP } from '@/start/page/setupSpec'

const filled = (edits: Edits = {}) =>
  valuesOf({ train_data_path: '/data/train.jsonl', ...edits }, defaultsFor(SETUP, { model: QWEN }))

describe('defaults', () => {
  test('they are the schema’s own, but for three epochs and a rarer checkpoint', () => {
    const values = filled()
    const { request } = toRequest<StandardStart>(SETUP, values)
    for (const field of FIELDS) {
      if (['model_path', 'train_data_path', 'save_every', 'iterations', 'epochs'].includes(field.name)) continue
      if (SETUP.noControl.includes(field.name)) continue
      const expected = 'default' in field && field.default !== null ? field.default : undefined
      const sent = applies(SETUP, values, field.name) ? expected : undefined
      expect(request?.[field.name], field.name).toEqual(sent)
    }
    expect(request).toMatchObject({ save_every: 1000, epochs: 3, model_path: QWEN.path })
    expect(request).not.toHaveProperty('iterations')
  })

  test('the demo’s values are those of its own run alone', () => {
    expect(defaultsFor(SETUP, { model: DEMO }).train_data_path).toBe('')
    const { request } = toRequest<StandardStart>(SETUP, suggestedRun(SETUP, { model: DEMO }))
    expect(request).toMatchObject({ iterations: 120, batch_size: 4, train_data_path: '/demo/train.jsonl' })
    expect(request).not.toHaveProperty('epochs')
  })

  test('the adapter’s name avoids those that are taken', () => {
    const values = suggestedRun(SETUP, { model: DEMO, taken: new Set(['demo_captain', 'demo_captain_2']) })
    expect(values.adapter_name).toBe('demo_captain_3')
    expect(freeName('new', new Set())).toBe('new')
  })
})

describe('what follows the training file', () => {
  const named = (path: string) => defaultsFor(SETUP, { model: QWEN, file: { path, longest: null } }).adapter_name

  test.each([
    ['/data/support.jsonl', 'support'],
    ['/data/support/train.jsonl', 'support'],
    ['C:\\rows\\Kühe 2.csv', 'K-he-2'],
    ['/data/__x__.jsonl', 'x'],
  ])('of %s the adapter is called %s', (path, name) => {
    expect(named(path)).toBe(name)
    expect(parseDraft(fieldIn(SETUP, 'adapter_name'), name).kind).toBe('value')
  })

  test('a name without a letter leaves the page’s own', () => {
    expect(named('/data/犬.jsonl')).toBe(defaultsFor(SETUP, { model: QWEN }).adapter_name)
  })

  test.each([
    [40, '256'],
    [257, '512'],
    [1025, '1024'],
    [90_000, '1024'],
  ])('the length holds rows of %i tokens, up to what the model takes', (longest, length) => {
    expect(defaultsFor(SETUP, { model: QWEN, file: { path: '/a.jsonl', longest } }).max_seq_length).toBe(length)
  })
})

describe('iterations and epochs', () => {
  test('the one typed last is sent, alone', () => {
    const iterations = edited({}, 'iterations', '500')
    expect(toRequest<StandardStart>(SETUP, filled(iterations)).request).toMatchObject({ iterations: 500 })
    expect(toRequest<StandardStart>(SETUP, filled(iterations)).request).not.toHaveProperty('epochs')
    const epochs = edited(iterations, 'epochs', '1.5')
    expect(toRequest<StandardStart>(SETUP, filled(epochs)).request).toMatchObject({ epochs: 1.5 })
    expect(toRequest<StandardStart>(SETUP, filled(epochs)).request).not.toHaveProperty('iterations')
  })

  test('with neither, something is missing', () => {
    const { request, errors } = toRequest<StandardStart>(SETUP, filled(edited({}, 'iterations', '')))
    expect(request).toBeNull()
    expect(errors.iterations).toBe('A whole number from 1 up.')
  })
})

describe('what may be typed', () => {
  test.each([
    ['lora_rank', '0', 'A whole number from 1 to 512; not 0.'],
    ['lora_rank', '513', 'A whole number from 1 to 512; not 513.'],
    ['lora_rank', '8.5', 'A whole number from 1 to 512; not 8.5.'],
    ['lora_rank', '', 'A whole number from 1 to 512.'],
    ['lora_dropout', '1', 'A number from 0 and below 1; not 1.'],
    ['learning_rate', '0', 'A number above 0; not 0.'],
    ['learning_rate', '1e-', 'A number above 0; not 1e-.'],
    ['batch_size', '-1', 'A whole number from 1 up; not -1.'],
    ['model_path', '', 'Model is missing.'],
    ['iterations', '10000000', 'A whole number from 1 to 9999999; not 10000000.'],
    ['lora_keys', [], 'Choose at least one matrix.'],
  ] as const)('%s “%s” is answered with what is allowed', (name, draft, message) => {
    expect(parseDraft(fieldIn(SETUP, name), draft)).toEqual({ kind: 'problem', message })
  })

  test('a name with a slash is refused with the rule', () => {
    const parsed = parseDraft(fieldIn(SETUP, 'adapter_name'), 'a/b')
    expect(parsed).toMatchObject({ kind: 'problem', message: expect.stringContaining('“a/b” can’t be used.') })
  })

  test('nothing is clamped or rounded', () => {
    expect(toRequest<StandardStart>(SETUP, filled({ lora_rank: '512', lora_dropout: '0.999' })).request).toMatchObject({
      lora_rank: 512,
      lora_dropout: 0.999,
    })
  })
})

test('a decay that adam does not have is not sent, and is there again with adamw', () => {
  const values = filled({ optimizer: 'adam', weight_decay: '0.1' })
  expect(toRequest<StandardStart>(SETUP, values).request).not.toHaveProperty('weight_decay')
  expect(toRequest<StandardStart>(SETUP, { ...values, optimizer: 'adamw' }).request?.weight_decay).toBe(0.1)
})

test('unusual settings are those that differ, whatever was touched; names and paths are not counted', () => {
  const defaults = defaultsFor(SETUP, { model: QWEN })
  const edits = { lora_rank: '64', batch_size: '1', adapter_name: 'mine', ...edited({}, 'iterations', '10') }
  expect(unusualFields(SETUP, edits, defaults)).toEqual(['iterations', 'lora_rank'])
})

test('a request survives the way through the form unchanged', () => {
  const request = toRequest<StandardStart>(SETUP, filled({ lora_keys: ['mlp.up_proj'], tags: 'a, b', mask_prompt: true })).request
  expect(toRequest<StandardStart>(SETUP, valuesOf(draftsOf(SETUP, request ?? {}), defaultsFor(SETUP, { model: null }))).request).toEqual(request)
})

describe('a session handed over', () => {
  const config = {
    model_path: QWEN.path,
    train_data_path: '/data/train.jsonl',
    lora_rank: 8,
    iterations: 60,
    epochs: null,
    adapter_name: 'captain',
    overwrite: true,
    confirm_high_scale: true,
    resume_from: 'a-session',
    resume_checkpoint: 40,
    queue: true,
    lora_layers: 'of an older app',
  }

  test('its known fields fill the form, under a name that is free, and replace nothing', () => {
    const edits = handedEdits(SETUP, config, new Set(['captain_2']))
    expect(edits).toEqual({
      model_path: QWEN.path,
      train_data_path: '/data/train.jsonl',
      lora_rank: '8',
      iterations: '60',
      epochs: '',
      adapter_name: 'captain_3',
    })
    expect(toRequest<StandardStart>(SETUP, filled(edits)).request).toMatchObject({ lora_rank: 8, iterations: 60, overwrite: false })
  })

  test.each([
    [{ processes: 3, hostfile: null, backend: 'ring' }, { processes: 3 }],
    [{ processes: null, hostfile: '/hosts.json', backend: 'mpi' }, { hostfile: '/hosts.json', backend: 'mpi' }],
    [null, undefined],
  ])('the processes of a session %j are those of the next run', (distributed, sent) => {
    const edits = handedEdits(SETUP, { adapter_name: 'pair', distributed }, new Set())
    expect(toRequest<StandardStart>(SETUP, filled(edits)).request?.distributed).toEqual(sent)
  })

  test('a record without a name keeps the form’s own', () => {
    expect(handedEdits(SETUP, { lora_rank: 4 }, new Set())).toEqual({ lora_rank: '4' })
  })
})
