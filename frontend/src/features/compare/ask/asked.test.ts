import { expect, test } from 'vitest'
import { answerText, begin, bodyOf, hear, refused, stopped, toKeep, type Question } from './asked'
import { questionOf } from '@/features/compare/prompt/question'
import { SAMPLING } from '@/features/compare/prompt/sampling'

const QUESTION = questionOf({
  prompt: 'Hello?',
  form: SAMPLING,
  targets: [
    { model: 'demo', adapter: null, checkpoint: null },
    { model: 'demo', adapter: 'captain', checkpoint: 'best' },
  ],
  duringRun: false,
}) as Question

const event = (name: string, data: object) => ({ event: name, data: JSON.stringify(data) })
const answer = (text: string) => ({
  response: text,
  stats: { finish_reason: 'stop', completion_tokens: 2 },
  model_info: { adapter_details: { checkpoint: 'best', chat_template_used: true, warnings: ['Odd.'] } },
})
const PLAN = event('plan', { mode: 'batch', reason: 'One base.', targets: [] })

test('the request carries every setting of the page', () => {
  expect(bodyOf(QUESTION)).toEqual({
    prompt: 'Hello?',
    system: null,
    raw: false,
    together: true,
    during_run: false,
    stream: true,
    max_tokens: 256,
    temperature: 0.7,
    top_p: 0.9,
    top_k: 40,
    min_p: 0.05,
    repetition_penalty: null,
    seed: null,
    targets: [
      { model_name: 'demo', adapter_name: null, checkpoint: null },
      { model_name: 'demo', adapter_name: 'captain', checkpoint: 'best' },
    ],
  })
})

test('pieces go to their side, and the whole text counts at the end', () => {
  const begun = hear(begin(QUESTION), [PLAN, event('progress', { target: 0, phase: 'loading', done: 0, total: 1 })])
  expect(begun.sides.map(({ state, phase }) => [state, phase])).toEqual([['preparing', 'loading'], ['preparing', 'loading']])
  const over = hear(begun, [
    event('token', { target: 1, text: 'Ahoy' }),
    event('token', { target: 1, text: '!END' }),
    event('done', { target: 1, answer: answer('Ahoy!') }),
    event('error', { target: 0, detail: 'It broke.', hint: 'Again.' }),
    event('end', {}),
  ])
  expect(over.state).toBe('done')
  expect(over.sides.map(({ state, text }) => [state, text])).toEqual([['failed', ''], ['done', 'Ahoy!']])
  expect(toKeep(over)?.answers).toMatchObject([
    { finish_reason: 'failed', warnings: ['It broke.'], text: '' },
    { finish_reason: 'stop', warnings: ['Odd.'], text: 'Ahoy!', checkpoint: 'best', chat_template_used: true },
  ])
})

test('a stop keeps what was said, and nothing later changes it', () => {
  const halted = stopped(hear(begin(QUESTION), [event('token', { target: 0, text: 'Once' })]))
  expect(halted.sides.map(({ state }) => state)).toEqual(['stopped', 'stopped'])
  expect(hear(halted, [event('token', { target: 0, text: ' more' })])).toEqual(halted)
  expect(toKeep(halted)?.answers[0]).toMatchObject({ text: 'Once', finish_reason: 'stopped' })
})

test('a refusal that names a target stands with it, and nothing is kept', () => {
  const problem = { status: 400, code: 'BadContent', detail: 'Wrong base.', hint: 'Choose.', fields: { 'targets.1': 'Wrong base.' }, offline: false }
  const failed = refused(begin(QUESTION), problem)
  expect(failed.state).toBe('failed')
  expect(failed.sides.map((side) => side.problem)).toEqual([null, { detail: 'Wrong base.', hint: 'Choose.' }])
  expect(toKeep(failed)).toBeNull()
})

test('a stream that ends without a word cut its answers off; nonsense is passed over', () => {
  const odd = hear(begin(QUESTION), [{ event: 'token', data: 'not json' }, event('token', { target: 9, text: 'x' }), event('end', {})])
  expect(odd.state).toBe('failed')
  expect(odd.sides[0]?.problem?.detail).toBe('The answer was interrupted.')
})

test('the thoughts of an answer are set apart where it is shown, and kept with the whole of it', () => {
  const thinking = { ...answer('<think>2 or 3</think>4'), thoughts: '2 or 3', answer: '4' }
  const asked = hear(begin(QUESTION), [PLAN, event('done', { target: 0, answer: thinking }), event('done', { target: 1, answer: answer('4') }), event('end', {})])
  expect(asked.sides.map(answerText)).toEqual(['4', '4'])
  expect(toKeep(asked)?.answers[0]?.text).toBe('<think>2 or 3</think>4')
})
