/**
 * The conversation that is shown, and what is being answered in it while the user looks at other pages. One for
 * the app, outside of React.
 */
import type { Problem } from '@/api/errors'
import type { Chat, ChatIn, ChatTurn } from '@/api/generated'
import { postStream, StreamRefused } from '@/api/stream/postStream'
import { begin, finished, hear, refused, stopped, type Asked, type Question } from '@/features/compare/ask/asked'
import { chatBody, newConversation, opened, toSave, turnOf, type Conversation } from './chat'

export type Chatting = { readonly conversation: Conversation; readonly asked: Asked | null }
/** Saves a new one where there is no id yet. */
export type Save = (id: string | null, chat: ChatIn) => Promise<Chat | Problem>

export class Chatter {
  private now: Chatting = { conversation: newConversation(), asked: null }
  private abort: AbortController | null = null
  private ended: Promise<void> = Promise.resolve()
  private readonly listeners = new Set<() => void>()

  readonly snapshot = (): Chatting => this.now

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  get busy(): boolean {
    return this.abort !== null
  }

  /** Ask the next prompt after the first `after` turns, those behind them are dropped. */
  send(question: Question, save: Save, after = this.now.conversation.turns.length): Promise<void> {
    if (!this.busy) this.ended = this.answer(question, save, after)
    return this.ended
  }

  readonly stop = (): void => {
    this.abort?.abort()
  }

  /** As an earlier moment had it: an undo. What is being answered is stopped first. */
  async restore(turns: readonly ChatTurn[], save: Save): Promise<void> {
    const { key } = this.now.conversation
    this.stop()
    await this.ended
    if (this.now.conversation.key !== key) return // Another conversation by now.
    this.say({ conversation: { ...this.now.conversation, turns } })
    await this.save(save, turns)
  }

  /** Show another conversation. */
  open(chat: Chat): void {
    if (!this.busy) this.say({ conversation: opened(chat), asked: null })
  }

  restart(): void {
    if (!this.busy) this.say({ conversation: newConversation(), asked: null })
  }

  private async answer(question: Question, save: Save, after: number): Promise<void> {
    const abort = new AbortController()
    this.abort = abort
    const { conversation } = this.now
    const turns = conversation.turns.slice(0, after)
    this.say({
      conversation: { ...conversation, targets: question.targets, system: question.system, turns },
      asked: begin(question),
    })
    try {
      // Before the first token, so that a reload keeps the prompt.
      await this.save(save, [...turns, turnOf(begin(question))])
      await this.stream(question, abort)
    } finally {
      this.abort = null
      const { asked } = this.now
      const done = asked ? [...turns, turnOf(asked)] : turns
      this.say({ conversation: { ...this.now.conversation, turns: done }, asked: null })
      await this.save(save, done)
    }
  }

  private async stream(question: Question, abort: AbortController): Promise<void> {
    try {
      for await (const events of postStream('models/compare', chatBody(question, this.now.conversation), abort.signal)) {
        this.change((asked) => hear(asked, events))
      }
      this.change(finished)
    } catch (error) {
      if (error instanceof StreamRefused) this.change((asked) => failed(asked, error.problem))
      else if (abort.signal.aborted) this.change(stopped)
      else throw error
    }
  }

  private async save(save: Save, turns: readonly ChatTurn[]): Promise<void> {
    const { id, key } = this.now.conversation
    const answer = await save(id, toSave({ ...this.now.conversation, turns }))
    const { conversation } = this.now
    if (conversation.key !== key) return // Another conversation is shown by now.
    if ('detail' in answer) this.say({ conversation: { ...conversation, notSaved: answer.detail } })
    else {
      // The server sets apart the thoughts of an answer that was stopped.
      const shown = this.busy ? conversation.turns : answer.turns
      this.say({ conversation: { ...conversation, id: answer.id, turns: shown, notSaved: null } })
    }
  }

  private change(step: (asked: Asked) => Asked): void {
    if (this.now.asked) this.say({ asked: step(this.now.asked) })
  }

  private say(part: Partial<Chatting>): void {
    this.now = { ...this.now, ...part }
    for (const listener of this.listeners) listener()
  }
}

/** Refused as a whole: the reason stands with every answer, and the prompt stays. */
function failed(asked: Asked, problem: Problem): Asked {
  const said = refused(asked, problem)
  const reason = { detail: problem.detail, hint: problem.hint }
  return { ...said, sides: said.sides.map((side) => (side.state === 'failed' && !side.problem ? { ...side, problem: reason } : side)) }
}

/** The app's own. */
export const chatter = new Chatter()
