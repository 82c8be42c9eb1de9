/** One question to several targets, from being sent to its last answer: a state machine fed by events. */
import type { Problem } from '@/api/errors'
import type { Comparison, ComparisonIn, InferenceAnswer, SavedAnswer } from '@/api/generated'
import type { ServerEvent } from '@/api/stream/sse'
import type { Sampling } from '@/features/compare/prompt/sampling'
import type { Target } from '@/features/compare/targets/targets'

export type Question = {
  readonly prompt: string
  readonly system: string | null
  readonly sampling: Sampling
  readonly targets: readonly Target[]
  readonly raw: boolean
  /** False asks one after the other even where one batch could answer all. */
  readonly together: boolean
  readonly duringRun: boolean
}

export type Side = {
  readonly target: Target
  readonly state: 'waiting' | 'preparing' | 'answering' | 'done' | 'failed' | 'stopped'
  readonly phase: string | null
  /** From 0 to 1; null where it can't be known. */
  readonly share: number | null
  readonly text: string
  readonly answer: InferenceAnswer | null
  readonly problem: { readonly detail: string; readonly hint: string | null } | null
}

/** What is judged: the answer without the model's thoughts; while it is written, all of it. */
export function answerText({ answer, text }: Side): string {
  return answer?.thoughts == null ? text : (answer.answer ?? '')
}

export type Plan = { readonly mode: 'batch' | 'in_turn'; readonly reason: string }

export type Asked = {
  readonly question: Question
  readonly state: 'asking' | 'done' | 'stopped' | 'failed'
  readonly plan: Plan | null
  readonly sides: readonly Side[]
  /** Why nothing was answered at all. */
  readonly problem: Problem | null
  /** As the server keeps it, with its stars; null until then. */
  readonly kept: Comparison | null
  readonly notKept: string | null
}

export function begin(question: Question): Asked {
  const sides = question.targets.map(
    (target): Side => ({ target, state: 'waiting', phase: null, share: null, text: '', answer: null, problem: null }),
  )
  return { question, state: 'asking', plan: null, sides, problem: null, kept: null, notKept: null }
}

/** What POST /models/compare is sent. */
export function bodyOf({ prompt, system, sampling, targets, raw, together, duringRun }: Question) {
  return {
    ...sampling,
    prompt,
    system,
    raw,
    together,
    during_run: duringRun,
    stream: true,
    targets: targets.map((each) => ({ model_name: each.model, adapter_name: each.adapter, checkpoint: each.checkpoint })),
  }
}

export function hear(asked: Asked, events: readonly ServerEvent[]): Asked {
  return events.reduce(heard, asked)
}

function heard(asked: Asked, { event, data }: ServerEvent): Asked {
  const told = parse(data)
  if (!told) return asked
  switch (event) {
    case 'plan':
      return { ...asked, plan: { mode: told['mode'] === 'batch' ? 'batch' : 'in_turn', reason: text(told['reason']) ?? '' } }
    case 'progress':
      return progress(asked, told)
    case 'token':
      return side(asked, told, (each) => ({ ...each, state: 'answering', text: each.text + (text(told['text']) ?? '') }))
    case 'done': {
      const answer = told['answer'] as InferenceAnswer
      // The whole text counts: a stop string may have taken back what was streamed.
      return side(asked, told, (each) => ({ ...each, state: 'done', answer, text: answer.response }))
    }
    case 'error':
      return side(asked, told, (each) => ({
        ...each,
        state: 'failed',
        problem: { detail: text(told['detail']) ?? 'It failed for an unknown reason.', hint: text(told['hint']) },
      }))
    case 'end':
      return finished(asked)
    default:
      return asked
  }
}

/** The stream is over. A side that was told nothing of its end was cut off. */
export function finished(asked: Asked): Asked {
  if (asked.state !== 'asking') return asked
  const sides = asked.sides.map((each): Side => (isOpen(each) ? { ...each, state: 'failed', problem: CUT_OFF } : each))
  return { ...asked, sides, state: sides.every((each) => each.state === 'failed') ? 'failed' : 'done' }
}

export function stopped(asked: Asked): Asked {
  if (asked.state !== 'asking') return asked
  return {
    ...asked,
    state: 'stopped',
    sides: asked.sides.map((each): Side => (isOpen(each) ? { ...each, state: 'stopped' } : each)),
  }
}

/** It never began, or the connection broke: what was answered until then stays. */
export function refused(asked: Asked, problem: Problem): Asked {
  const own = (index: number) => problem.fields[`targets.${index}`]
  const answered = asked.sides.some((each) => each.state === 'done')
  const sides = asked.sides.map((each, index): Side => {
    if (!isOpen(each)) return each
    const detail = own(index)
    return { ...each, state: 'failed', problem: detail ? { detail, hint: problem.hint } : null }
  })
  return { ...asked, sides, problem, state: answered ? 'done' : 'failed' }
}

/** What the server is asked to keep; null where nothing was answered. */
export function toKeep({ question, sides, state, plan }: Asked): ComparisonIn | null {
  if (state === 'asking' || sides.every((each) => each.text === '' && each.answer === null)) return null
  return {
    prompt: question.prompt,
    system: question.system,
    sampling: { ...question.sampling, raw: question.raw, ...(plan ? { mode: plan.mode, reason: plan.reason } : {}) },
    answers: sides.map(savedAnswer),
  }
}

export function savedAnswer(side: Side): SavedAnswer {
  const details = side.answer?.model_info.adapter_details
  return {
    model_name: side.target.model,
    adapter_name: side.target.adapter,
    checkpoint: details?.checkpoint ?? side.target.checkpoint,
    text: side.text,
    finish_reason: side.answer?.stats.finish_reason ?? side.state,
    chat_template_used: details?.chat_template_used ?? null,
    warnings: side.problem ? [side.problem.detail] : (details?.warnings ?? []).slice(0, 50),
    stats: side.answer ? { ...side.answer.stats } : {},
    rating: null,
  }
}

function isOpen({ state }: Side): boolean {
  return state === 'waiting' || state === 'preparing' || state === 'answering'
}

const CUT_OFF = { detail: 'The answer was interrupted.', hint: 'The server or the model process ended. Ask again.' }

function side(asked: Asked, told: Told, change: (side: Side) => Side): Asked {
  const at = told['target']
  const found = typeof at === 'number' ? asked.sides[at] : undefined
  if (found === undefined || !isOpen(found)) return asked
  return { ...asked, sides: asked.sides.with(at as number, change(found)) }
}

/** One batch is prepared for all of its sides at once, and told of the first. */
function progress(asked: Asked, told: Told): Asked {
  const prepare = (each: Side): Side => ({
    ...each,
    state: 'preparing',
    phase: text(told['phase']),
    share: shareOf(told['done'], told['total']),
  })
  if (asked.plan?.mode !== 'batch') return side(asked, told, prepare)
  return { ...asked, sides: asked.sides.map((each) => (isOpen(each) && each.text === '' ? prepare(each) : each)) }
}

type Told = Readonly<Record<string, unknown>>

function parse(data: string): Told | null {
  try {
    const value = JSON.parse(data) as unknown
    return typeof value === 'object' && value !== null ? (value as Told) : null
  } catch {
    return null
  }
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function shareOf(done: unknown, total: unknown): number | null {
  if (typeof done !== 'number' || typeof total !== 'number' || total <= 0) return null
  return Math.min(1, done / total)
}
