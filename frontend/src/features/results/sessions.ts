/** Filter and sort of the sessions table. Pure. */
import type { SessionSummary } from '@/api/generated'

export type SortKey = 'date' | 'name' | 'train' | 'validation' | 'best' | 'steps' | 'duration' | 'state'
export type Sort = { readonly key: SortKey; readonly down: boolean }
export type StateFilter = 'all' | 'completed' | 'stopped' | 'failed'

export const NEWEST_FIRST: Sort = { key: 'date', down: true }

const GROUPS: Record<Exclude<StateFilter, 'all'>, ReadonlySet<string>> = {
  completed: new Set(['completed']),
  stopped: new Set(['stopped', 'interrupted']),
  failed: new Set(['error']),
}

// The server sends the newest first, by more than a clock that may have been set back.
const VALUES: Record<SortKey, (session: SessionSummary, place: number) => string | number | null> = {
  date: (session, place) => (session.timestamp ? -place : null),
  name: (session) => sessionName(session).toLowerCase(),
  train: (session) => session.final_train_loss,
  validation: (session) => session.final_val_loss,
  best: (session) => session.best_val_loss,
  steps: (session) => session.steps_completed,
  duration: (session) => session.duration_seconds,
  state: (session) => session.training_state,
}

export function sessionName(session: SessionSummary): string {
  return session.adapter_name ?? session.session_id
}

/** Words in any order and case, over name, model, method, notes, tags and id. A damaged record always passes the state filter. */
export function chosenSessions(
  sessions: readonly SessionSummary[],
  text: string,
  state: StateFilter,
  sort: Sort,
): readonly SessionSummary[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const chosen = sessions.filter((session) => {
    const passes = state === 'all' || GROUPS[state].has(session.training_state ?? '')
    const all = textOf(session)
    return (passes || session.problem != null) && words.every((word) => all.includes(word))
  })
  const places = new Map(sessions.map((session, place) => [session, place]))
  const value = (session: SessionSummary) => VALUES[sort.key](session, places.get(session) ?? 0)
  return chosen.toSorted((a, b) => compare(value(a), value(b), sort.down))
}

/** What is unknown comes last, whichever way is sorted. */
function compare(a: string | number | null, b: string | number | null, down: boolean): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1
  const order = a < b ? -1 : a > b ? 1 : 0
  return down ? -order : order
}

function textOf(session: SessionSummary): string {
  const { session_id, model_name, adapter_name, method, notes, tags, training_state } = session
  return [session_id, model_name, adapter_name, method, notes, training_state, ...tags].join(' ').toLowerCase()
}
