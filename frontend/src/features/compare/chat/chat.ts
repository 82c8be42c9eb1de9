/** A conversation with several targets: every one of them has its own answers to the same prompts. Pure. */
import type { Chat, ChatAnswer, ChatIn, ChatMessage, ChatTarget, ChatTurn } from '@/api/generated'
import { bodyOf, savedAnswer, type Asked, type Question } from '@/features/compare/ask/asked'
import { readCheckpoint, sameTarget, type Target } from '@/features/compare/targets/targets'

export type Conversation = {
  /** As the server keeps it; null before its first prompt. */
  readonly id: string | null
  /** The name under which the model keeps what it has read. */
  readonly key: string
  readonly targets: readonly Target[]
  readonly system: string | null
  readonly turns: readonly ChatTurn[]
  readonly notSaved: string | null
}

export function newConversation(): Conversation {
  return { id: null, key: crypto.randomUUID(), targets: [], system: null, turns: [], notSaved: null }
}

export function opened({ id, system, targets, turns }: Chat): Conversation {
  return { id, key: id, targets: targets.map(targetOf), system: system ?? null, turns, notSaved: null }
}

export function targetOf({ model_name, adapter_name, checkpoint }: ChatTarget): Target {
  return {
    model: model_name,
    adapter: adapter_name ?? null,
    checkpoint: typeof checkpoint === 'number' ? checkpoint : readCheckpoint(checkpoint ?? undefined),
  }
}

export function sameTargets(one: readonly Target[], other: readonly Target[]): boolean {
  return one.length === other.length && one.every((each, at) => sameTarget(each, other[at] ?? each))
}

/**
 * What one target is sent. A turn that it did not answer is left out with its prompt, because templates want
 * user and assistant in turn; of the others the answer goes along without its thoughts, as templates want it too.
 */
export function messagesOf(turns: readonly ChatTurn[], target: number, prompt: string): readonly ChatMessage[] {
  const earlier = turns.flatMap((turn): ChatMessage[] => {
    const text = answerOf(turn.answers[target])
    if (text.trim() === '') return []
    return [
      { role: 'user', content: turn.prompt },
      { role: 'assistant', content: text },
    ]
  })
  return [...earlier, { role: 'user', content: prompt }]
}

/** The answer without its thoughts. */
export function answerOf(answer: ChatAnswer | undefined): string {
  if (!answer) return ''
  return answer.thoughts == null ? answer.text : (answer.answer ?? '')
}

/** What POST /models/compare is sent for the next turn. */
export function chatBody(question: Question, { key, turns }: Conversation) {
  const body = bodyOf({ ...question, raw: false, together: false })
  return {
    ...body,
    conversation: key,
    targets: body.targets.map((target, at) => ({ ...target, messages: messagesOf(turns, at, question.prompt) })),
  }
}

/** The turn as it is kept; while it is being answered its answers have no `finish_reason`. */
export function turnOf({ question, sides }: Asked): ChatTurn {
  return {
    prompt: question.prompt,
    answers: sides.map((side): ChatAnswer => {
      const saved = savedAnswer(side)
      const open = side.state === 'waiting' || side.state === 'preparing' || side.state === 'answering'
      return {
        ...saved,
        finish_reason: open ? null : (saved.finish_reason ?? null),
        thoughts: side.answer?.thoughts ?? null,
        answer: side.answer?.answer ?? '',
      }
    }),
  }
}

export function toSave({ system, targets, turns }: Conversation): ChatIn {
  return {
    system,
    targets: targets.map(({ model, adapter, checkpoint }) => ({ model_name: model, adapter_name: adapter, checkpoint })),
    turns: [...turns],
  }
}
