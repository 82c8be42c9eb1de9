// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Chat, ChatIn, ChatTurn } from '@/api/generated'
import { questionOf } from '@/features/compare/prompt/question'
import { SAMPLING } from '@/features/compare/prompt/sampling'
import type { Question } from '@/features/compare/ask/asked'
import { chatBody, messagesOf, newConversation } from './chat'
import { chatJsonl, chatMarkdown } from './chatExport'
import { Chatter, type Save } from './chatter'

const TARGETS = [
  { model: 'demo', adapter: null, checkpoint: null },
  { model: 'demo', adapter: 'captain', checkpoint: 'best' },
] as const
const ask = (prompt: string) => questionOf({ prompt, form: { ...SAMPLING, system: 'Be short.' }, targets: TARGETS, duringRun: false }) as Question
const turn = (prompt: string, ...texts: string[]): ChatTurn => ({
  prompt,
  answers: texts.map((text, at) => ({ model_name: 'demo', adapter_name: at === 0 ? null : 'captain', text, finish_reason: 'stop' })),
})
const event = (name: string, data: object) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
const done = (target: number, text: string) =>
  event('done', { target, answer: { response: text, stats: { finish_reason: 'stop' }, model_info: { adapter_details: { warnings: [] } } } })

/** A server that answers every turn at once and keeps what it is given. */
function serve() {
  const sent: Record<string, unknown>[] = []
  vi.stubGlobal('fetch', async (request: Request) => {
    sent.push((await request.json()) as Record<string, unknown>)
    const text = done(0, `base ${sent.length}`) + done(1, `tuned ${sent.length}`) + event('end', {})
    return new Response(text, { status: 200, headers: { 'content-type': 'text/event-stream' } })
  })
  const saved: ChatIn[] = []
  const save: Save = (id, chat) => {
    saved.push(chat)
    return Promise.resolve({ ...chat, id: id ?? 'c1', at: '2026-12-01T10:00:00Z', changed: '2026-12-01T10:00:00Z' } satisfies Chat)
  }
  return { sent, saved, save }
}

beforeEach(() => vi.useRealTimers())
afterEach(() => vi.unstubAllGlobals())

test('every target is sent its own answers, without thoughts, and no turn that it did not answer', () => {
  const thinking: ChatTurn = {
    prompt: 'Two?',
    answers: [
      { model_name: 'demo', text: '<think>hm</think>2', thoughts: 'hm', answer: '2', finish_reason: 'stop' },
      { model_name: 'demo', text: '', finish_reason: 'failed' },
    ],
  }
  const turns = [turn('One?', 'a', 'b'), thinking]
  expect(messagesOf(turns, 0, 'Three?').map(({ role, content }) => `${role}: ${content}`)).toEqual([
    'user: One?', 'assistant: a', 'user: Two?', 'assistant: 2', 'user: Three?',
  ])
  expect(messagesOf(turns, 1, 'Three?').map(({ content }) => content)).toEqual(['One?', 'b', 'Three?'])
  const body = chatBody(ask('Three?'), { ...newConversation(), key: 'k', turns })
  expect(body).toMatchObject({ conversation: 'k', system: 'Be short.', together: false, raw: false, prompt: 'Three?' })
  expect(body.targets[1]).toMatchObject({ adapter_name: 'captain', checkpoint: 'best', messages: [{}, {}, { content: 'Three?' }] })
})

test('a turn is saved before its answers and after them, and the next one continues both', async () => {
  const { sent, saved, save } = serve()
  const chatter = new Chatter()
  await chatter.send(ask('One?'), save)
  await chatter.send(ask('Two?'), save)
  expect(saved.map(({ turns }) => turns.map((each) => [each.prompt, each.answers[1]?.text, each.answers[1]?.finish_reason]))).toEqual([
    [['One?', '', null]],
    [['One?', 'tuned 1', 'stop']],
    [['One?', 'tuned 1', 'stop'], ['Two?', '', null]],
    [['One?', 'tuned 1', 'stop'], ['Two?', 'tuned 2', 'stop']],
  ])
  expect(sent[1]).toMatchObject({ targets: [{ messages: [{}, { content: 'base 1' }, {}] }, { messages: [{}, { content: 'tuned 1' }, {}] }] })
  expect(chatter.snapshot().conversation).toMatchObject({ id: 'c1', notSaved: null })
})

test('an edited turn drops those behind it, and an undo brings them back', async () => {
  const { save } = serve()
  const chatter = new Chatter()
  for (const prompt of ['One?', 'Two?', 'Three?']) await chatter.send(ask(prompt), save)
  const before = chatter.snapshot().conversation.turns
  await chatter.send(ask('Other?'), save, 1)
  expect(chatter.snapshot().conversation.turns.map(({ prompt }) => prompt)).toEqual(['One?', 'Other?'])
  await chatter.restore(before, save)
  expect(chatter.snapshot().conversation.turns).toEqual(before)
})

test('a refusal stands with every answer and keeps the prompt; a save that fails is told', async () => {
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(JSON.stringify({ error: 'WrongState', detail: 'A run is active.' }), { status: 409 })))
  const chatter = new Chatter()
  const full = { status: 507, code: 'NoDiskSpace', detail: 'The disk is full.', hint: null, fields: {}, offline: false }
  await chatter.send(ask('One?'), () => Promise.resolve(full))
  const { conversation, asked } = chatter.snapshot()
  expect(asked).toBeNull()
  expect(conversation.notSaved).toBe('The disk is full.')
  expect(conversation.turns[0]).toMatchObject({ prompt: 'One?', answers: [{ finish_reason: 'failed', warnings: ['A run is active.'] }, {}] })
})

test('the export has a row of training data for each target, and no answer breaks out of the Markdown', () => {
  const conversation = { ...newConversation(), targets: TARGETS, system: 'Be short.', turns: [turn('One?', 'a', '```\nb'), turn('Two?', 'c', 'd')] }
  const rows = chatJsonl(conversation).trim().split('\n').map((line) => JSON.parse(line) as { messages: { role: string }[] })
  expect(rows.map(({ messages }) => messages.map(({ role }) => role).join(' '))).toEqual(Array(2).fill('system user assistant user assistant'))
  expect(chatMarkdown(conversation)).toContain('### captain (best)\n\n````\n```\nb\n````')
})
