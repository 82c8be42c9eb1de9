import { expect, test } from 'vitest'
import type { Comparison, MetricResult } from '@/api/generated'
import { bodyFor, formProblems, FORM, METRICS_OF_ANSWERS } from '@/features/compare/evaluate/evaluationFields'
import { difference, measured } from '@/features/compare/evaluate/TaskTable'
import { historyJson, historyMarkdown } from '@/features/compare/history/exporting'
import { promptsOf, setProblem, textOf } from '@/features/compare/prompt/promptSets'
import { fieldProblem, readForm, SAMPLING, samplingOf } from '@/features/compare/prompt/sampling'
import { interval, metricOf, QUESTIONS } from './samples'
import { chosenQuestions, effectWords, measuredOf, scoreWords, spanOf, verdictOf } from '@/features/compare/evaluate/verdict'
import { timingWords } from './words'

const VERDICTS: readonly (readonly [string, Partial<MetricResult>])[] = [
  ['better', {}],
  ['worse', { better: 'lower' }],
  ['differs', { better: 'neither' }],
  ['unsure', { difference: interval(0.1, -0.1, 0.3) }],
  ['unsure', { difference: interval(0.1, null, null) }],
  ['same', { difference: interval(0, 0, 0) }],
  ['unknown', { difference: null }],
  ['better', { better: 'lower', difference: null, ratio: interval(0.4, 0.3, 0.9) }],
  ['unsure', { better: 'lower', difference: null, ratio: interval(0.9, 0.7, 1.1) }],
]

test.each(VERDICTS)('a difference is called %s only where its interval allows it (%j)', (verdict, part) => {
  expect(verdictOf(metricOf(part))).toBe(verdict)
})

test('the effect is written with its sign and interval, and drawn around no difference', () => {
  expect(effectWords(metricOf({}))).toBe('+40 points (30 to 50)')
  expect(effectWords(metricOf({ id: 'loss', difference: interval(-1.2, -1.4, -1) }))).toBe('−1.2 (−1.4 to −1)')
  expect(effectWords(metricOf({ id: 'perplexity', difference: null, ratio: interval(0.5, 0.4, 0.625) }))).toBe('÷ 2 (1.6 to 2.5)')
  expect(effectWords(metricOf({ id: 'perplexity', difference: null, ratio: interval(2, 1.5, 3) }))).toBe('× 2 (1.5 to 3)')
  expect(effectWords(metricOf({ difference: null }))).toBe('—')
  const span = spanOf(metricOf({}))
  expect(span && span.from > 0.5 && span.to <= 1 && span.from < span.to).toBe(true)
})

test('rows are filtered, and sorted by what the adapter gained; unknown ones come last', () => {
  const lines = (filter: Parameters<typeof chosenQuestions>[2], sort: Parameters<typeof chosenQuestions>[3]) =>
    chosenQuestions(QUESTIONS, metricOf({}), filter, sort).map(({ line }) => line)
  expect(lines('all', 'best')).toEqual([1, 4, 2, 3])
  expect(lines('all', 'worst')).toEqual([2, 4, 1, 3])
  expect([lines('better', 'order'), lines('worse', 'order'), lines('same', 'order'), lines('seen', 'order'), lines('failed', 'order')]).toEqual([
    [1],
    [2],
    [4],
    [2],
    [3],
  ])
})

test('sampling says what is allowed and never clamps', () => {
  expect(samplingOf(SAMPLING)).toMatchObject({ max_tokens: 256, seed: null, repetition_penalty: null })
  expect(fieldProblem('topP', '0')).toBe('A number above 0, up to 1.')
  expect(fieldProblem('maxTokens', '1.5')).toBe('A whole number from 1 to 131,072.')
  expect([fieldProblem('seed', ''), fieldProblem('seed', '-1')]).toEqual([null, 'A whole number from 0.'])
  expect(samplingOf({ ...SAMPLING, maxTokens: '' })).toBeNull()
  expect(readForm({ topP: '0.5', maxTokens: 3, other: 'x' })).toMatchObject({ topP: '0.5', maxTokens: '256' })
})

test.each([[['One?', 'Two?']], [['Of\ntwo lines', 'One?']], [['Alone\nwith two']], [[]]])('prompts come back from their text: %j', (prompts) => {
  expect(promptsOf(textOf(prompts))).toEqual(prompts)
})

test('a set needs a name and a prompt', () => {
  expect(setProblem(' ', [])).toEqual({ name: 'Enter a name.', prompts: 'Enter at least one prompt.' })
  expect(setProblem('three', ['One?'])).toEqual({})
})

test('an evaluation is asked for only with numbers that the server takes', () => {
  const ready = { ...FORM, model: 'demo', adapter: 'captain', checkpoint: '100', system: null }
  expect(bodyFor({ ...ready, judge: 'model:demo' })).toMatchObject({ adapter_name: 'captain', checkpoint: 100, metrics: [], judge: true, judge_model: 'demo' })
  expect(bodyFor({ ...ready, rows: '0' })).toBeNull()
  expect(bodyFor({ ...ready, tasks: ' sums, /tasks/own.yaml ,', taskLimit: '12' })).toMatchObject({ model_name: 'demo', tasks: ['sums', '/tasks/own.yaml'], task_limit: 12 })
  expect(formProblems({ ...FORM, taskLimit: '0' })).toEqual({ task_limit: 'A whole number from 1 to 100,000.' })
  expect(formProblems({ ...FORM, metrics: [] })).toEqual({ metrics: 'Choose at least one metric.' })
})

test('a prompt set is asked in place of rows, with the system prompt of the training, and scored by what needs no expected answer', () => {
  const set = { name: 'support', prompts: ['One?', 'Two?'] }
  const body = bodyFor({ ...FORM, model: 'demo', adapter: 'captain', checkpoint: '', system: 'Be brief.', set, rows: '' })
  expect(body).toMatchObject({ prompts: ['One?', 'Two?'], prompt_set: 'support', system: 'Be brief.', metrics: [] })
  expect(body).not.toHaveProperty('num_questions')
  expect(bodyFor({ ...FORM, model: 'demo', adapter: 'captain', checkpoint: '', system: null, set, metrics: ['loss', 'length'] })?.metrics).toEqual(['length'])
  expect(formProblems({ ...FORM, set, metrics: ['loss'] })).toEqual({ metrics: 'Choose at least one metric.' })
  expect(METRICS_OF_ANSWERS).toEqual(['length', 'repetition'])
})

test('shares are in per cent, and metrics that no row has are not counted', () => {
  expect([scoreWords(metricOf({}), 0.824), scoreWords(metricOf({ id: 'perplexity' }), 3250)]).toEqual(['82.4 %', '3,250'])
  const without = metricOf({ id: 'valid_json', values: [null, null], difference: null })
  expect(measuredOf([metricOf({}), without]).map(({ id }) => id)).toEqual(['token_f1'])
})

test('the history is written so that no answer breaks out of its fence', () => {
  const comparison: Comparison = {
    id: 'x',
    at: '2026-11-20T10:00:00Z',
    prompt: 'Code?',
    system: null,
    sampling: { temperature: 0.7, seed: null },
    answers: [{ model_name: 'demo', adapter_name: 'captain', checkpoint: 'best', text: '```\ncode\n```', rating: 4, stats: {}, warnings: [] }],
  }
  const text = historyMarkdown([comparison])
  expect(text).toContain('````\n```\ncode\n```\n````')
  expect(text).toContain('### captain (best)')
  expect(text).toContain('★★★★☆')
  expect(JSON.parse(historyJson([comparison]))).toEqual({ comparisons: [comparison] })
})

test('putting an adapter on is told where one was put on for this answer, never of a base', () => {
  const stats = { completion_tokens: 24, swap_seconds: 0.012 }
  expect(timingWords(stats, true)).toEqual(['24 tokens', 'adapter loaded in 12 ms'])
  expect(timingWords({ ...stats, swap_seconds: 0 }, true)).toEqual(['24 tokens'])
  expect(timingWords(stats, false)).toEqual(['24 tokens'])
})

test('what lm-eval did not measure is unknown, and a fall has its sign', () => {
  const task = { task: 'sums', metric: 'acc', filter: 'none', better: 'higher', values: [0.5, 0.25], stderrs: [0.1, null], rows: 12, version: null } as const
  const row = { ...task, values: [...task.values], stderrs: [...task.stderrs] }
  expect([measured(0.5, 0.1), measured(0.25, null), measured(null, null)]).toEqual(['0.500 ± 0.100', '0.250', '—'])
  expect([difference(row), difference({ ...row, values: [0.5, null] })]).toEqual(['−0.250', '—'])
})
