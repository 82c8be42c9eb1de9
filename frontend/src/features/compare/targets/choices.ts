/** What the dialog offers: every base with its adapters, how ready each is, and why one is not. */
import type { AvailableAdapter, AvailableModel, AvailableModels, SessionSummary } from '@/api/generated'
import type { Tone } from '@/ui/Badge'
import { adapterNamed, baselessOf, isUsable, type Checkpoint } from './targets'

export type Readiness = 'new' | 'ready' | 'legacy' | 'training' | 'none' | 'missing' | 'damaged' | 'unknown_base' | 'wrong_base'
export type Choice = {
  readonly name: string
  readonly readiness: Readiness
  /** Why it can't be used, or what to know of it. */
  readonly note: string | null
  readonly method: string | null
  readonly trained: string | null
  readonly checkpoints: readonly Checkpoint[]
}
export type Group = { readonly model: AvailableModel; readonly choices: readonly Choice[] }
export type Choices = {
  readonly groups: readonly Group[]
  /** Adapters that record no base: they may be tried on any, and are checked there. */
  readonly baseless: readonly Choice[]
  /** Adapters whose base is not here: on another one they would be refused. */
  readonly foreign: readonly Choice[]
  /** Sessions whose adapter is gone. */
  readonly gone: readonly Choice[]
}

export const READINESS: Readonly<Record<Readiness, { readonly word: string; readonly tone: Tone }>> = {
  new: { word: 'new', tone: 'accent' },
  ready: { word: 'ready', tone: 'good' },
  legacy: { word: 'legacy', tone: 'neutral' },
  training: { word: 'training…', tone: 'neutral' },
  none: { word: 'no adapter', tone: 'neutral' },
  missing: { word: 'missing files', tone: 'bad' },
  damaged: { word: 'damaged', tone: 'bad' },
  unknown_base: { word: 'unknown base', tone: 'warn' },
  wrong_base: { word: 'wrong base', tone: 'warn' },
}

const DAY = 24 * 3600 * 1000

/** Newest first within a base. `now` in milliseconds. */
export function choicesOf(available: AvailableModels, sessions: readonly SessionSummary[], now: number): Choices {
  const bySession = new Map(sessions.map((session) => [session.session_id, session]))
  // Newest first, so the first of a name is the one that wrote the folder last.
  const byName = new Map([...sessions].reverse().map((session) => [session.adapter_name, session]))
  const choice = (adapter: AvailableAdapter) => {
    const session = (adapter.session_id ? bySession.get(adapter.session_id) : undefined) ?? byName.get(adapter.name)
    return choiceOf(adapter, session ?? null, now)
  }
  const foreign = (adapter: AvailableAdapter): Choice => {
    const found = choice(adapter)
    const note = `It was trained on ${adapter.recorded_base}, which is not on this machine.`
    return isReady(found) ? { ...found, readiness: 'wrong_base', note } : found
  }
  const without = baselessOf(available)
  const elsewhere = (available.unassigned ?? []).filter((each) => !without.includes(each))
  return {
    groups: available.models.map((model) => ({ model, choices: newestFirst(model.adapters.map(choice)) })),
    baseless: newestFirst(without.map(choice)).map(baseless),
    foreign: newestFirst(elsewhere.map(foreign)),
    gone: sessions.filter((session) => isGone(session, available)).map(goneChoice),
  }
}

/** Those whose name, base or method has all the words. */
export function filtered(choices: Choices, text: string): Choices {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const fits = (choice: Choice, base: string) => {
    const all = `${choice.name} ${base} ${choice.method ?? ''} ${READINESS[choice.readiness].word}`.toLowerCase()
    return words.every((word) => all.includes(word))
  }
  if (words.length === 0) return choices
  return {
    groups: choices.groups
      .map(({ model, choices: own }) => ({ model, choices: own.filter((each) => fits(each, model.name)) }))
      .filter(({ model, choices: own }) => own.length > 0 || words.every((word) => model.name.toLowerCase().includes(word))),
    baseless: choices.baseless.filter((each) => fits(each, '')),
    foreign: choices.foreign.filter((each) => fits(each, '')),
    gone: choices.gone.filter((each) => fits(each, '')),
  }
}

function choiceOf(adapter: AvailableAdapter, session: SessionSummary | null, now: number): Choice {
  const trained = session?.timestamp ?? null
  return {
    name: adapter.name,
    readiness: readinessOf(adapter, session, trained !== null && now - Date.parse(trained) < DAY),
    note: noteOf(adapter, session),
    method: adapter.method ?? session?.method ?? null,
    trained,
    checkpoints: checkpointsOf(adapter),
  }
}

function readinessOf(adapter: AvailableAdapter, session: SessionSummary | null, fresh: boolean): Readiness {
  if (checkpointsOf(adapter).length === 0) return isTraining(session) ? 'training' : 'missing'
  if (!isUsable(adapter)) return 'damaged'
  if (session?.legacy) return 'legacy'
  return fresh ? 'new' : 'ready'
}

function noteOf(adapter: AvailableAdapter, session: SessionSummary | null): string | null {
  if (checkpointsOf(adapter).length === 0 && isTraining(session)) return 'It can be asked when its first checkpoint is saved.'
  return adapter.problem ?? null
}

function isTraining(session: SessionSummary | null): boolean {
  return session !== null && !ENDED.has(session.training_state ?? '')
}

export function checkpointsOf(adapter: AvailableAdapter): readonly Checkpoint[] {
  const named: Checkpoint[] = []
  if (adapter.has_best) named.push('best')
  if (adapter.has_latest) named.push('latest')
  return [...named, ...(adapter.checkpoints ?? [])]
}

function baseless(choice: Choice): Choice {
  if (!isReady(choice)) return choice
  const note = 'Its base is not recorded. Its shapes are checked before it answers.'
  return { ...choice, readiness: 'unknown_base', note }
}

const NOT_READY: ReadonlySet<Readiness> = new Set(['training', 'none', 'missing', 'damaged', 'wrong_base'])

/** Whether it can be chosen: nothing of it is missing, and its base is not another one. */
export function isReady({ readiness }: Choice): boolean {
  return !NOT_READY.has(readiness)
}

const ENDED: ReadonlySet<string> = new Set(['completed', 'stopped', 'interrupted', 'error'])

function isGone(session: SessionSummary, available: AvailableModels): boolean {
  const { adapter_name: name, training_state: state } = session
  if (name === null || session.adapter_ready || !ENDED.has(state ?? '')) return false
  return adapterNamed(available, name) === null
}

function goneChoice(session: SessionSummary): Choice {
  return {
    name: session.adapter_name ?? session.session_id,
    // Where nothing was ever measured as the best, nothing may have been saved.
    ...(session.training_state === 'error' && session.best_value == null
      ? { readiness: 'none', note: 'Its training failed before an adapter was saved.' }
      : { readiness: 'missing', note: 'Its session is saved, but its adapter files are missing.' }),
    method: session.method,
    trained: session.timestamp,
    checkpoints: [],
  }
}

function newestFirst(choices: readonly Choice[]): readonly Choice[] {
  return [...choices].sort((a, b) => (b.trained ?? '').localeCompare(a.trained ?? '') || a.name.localeCompare(b.name))
}
