/**
 * Asks, and keeps what is being answered while the user looks at other pages. One for the app, outside
 * of React: a page that is left does not end an answer.
 */
import type { Problem } from '@/api/errors'
import type { Comparison, ComparisonIn } from '@/api/generated'
import { postStream, StreamRefused } from '@/api/stream/postStream'
import { begin, bodyOf, finished, hear, refused, stopped, toKeep, type Asked, type Question } from './asked'

/** A set of prompts that are asked one after the other. */
export type Series = { readonly name: string; readonly at: number; readonly total: number }
export type Asking = { readonly asked: Asked | null; readonly series: Series | null }
export type Keep = (given: ComparisonIn) => Promise<Comparison | Problem>

const NOTHING: Asking = { asked: null, series: null }

export class Asker {
  private now: Asking = NOTHING
  private abort: AbortController | null = null
  private readonly listeners = new Set<() => void>()

  readonly snapshot = (): Asking => this.now

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  get busy(): boolean {
    return this.abort !== null
  }

  /** Ask, stream, and have it kept. Does nothing while another question is being answered. */
  async ask(question: Question, keep: Keep | null): Promise<void> {
    if (this.busy) return
    const abort = new AbortController()
    this.abort = abort
    try {
      await this.answer(question, abort)
    } finally {
      this.abort = null
    }
    if (keep) await this.keep(keep)
  }

  /** Ask every prompt of a set in its order, until the end or a stop. A failed one is passed over. */
  async askAll(name: string, prompts: readonly string[], question: Question, keep: Keep): Promise<void> {
    if (this.busy) return
    const abort = new AbortController()
    this.abort = abort // Until the end of the set, so that a stop between two prompts is heard too.
    try {
      for (const [index, prompt] of prompts.entries()) {
        if (abort.signal.aborted) break
        this.say({ series: { name, at: index + 1, total: prompts.length } })
        await this.answer({ ...question, prompt }, abort)
        await this.keep(keep)
        // What stops them all, a run for example, would only be said again for each.
        if (this.now.asked?.problem) break
      }
    } finally {
      this.abort = null
      this.say({ series: null })
    }
  }

  readonly stop = (): void => {
    this.abort?.abort()
  }

  /** Stars were given: the server's newest word on the comparison that is shown. */
  rated(comparison: Comparison): void {
    if (this.now.asked?.kept?.id === comparison.id) this.change((asked) => ({ ...asked, kept: comparison }))
  }

  /** What was being looked at before a reload. */
  restore(asked: Asked): void {
    if (!this.busy) this.say({ asked })
  }

  clear(): void {
    if (!this.busy) this.say(NOTHING)
  }

  private async answer(question: Question, abort: AbortController): Promise<void> {
    this.say({ asked: begin(question) })
    try {
      for await (const events of postStream('models/compare', bodyOf(question), abort.signal)) {
        this.change((asked) => hear(asked, events))
      }
      this.change(finished)
    } catch (error) {
      if (error instanceof StreamRefused) this.change((asked) => refused(asked, error.problem))
      else if (abort.signal.aborted) this.change(stopped)
      else throw error
    }
  }

  private async keep(keep: Keep): Promise<void> {
    const asked = this.now.asked
    const given = asked ? toKeep(asked) : null
    if (!given) return
    const answer = await keep(given)
    // Another question may have been asked meanwhile.
    this.change((now) => {
      if (now.question !== asked?.question) return now
      return 'detail' in answer ? { ...now, notKept: answer.detail } : { ...now, kept: answer }
    })
  }

  private change(step: (asked: Asked) => Asked): void {
    if (this.now.asked) this.say({ asked: step(this.now.asked) })
  }

  private say(part: Partial<Asking>): void {
    this.now = { ...this.now, ...part }
    for (const listener of this.listeners) listener()
  }
}

/** The app's own. */
export const asker = new Asker()
/** Of the blind vote, so that its names stay hidden from the other views. */
export const blindAsker = new Asker()
