/** What the list of sessions asks the server for. Pure. */
import type { ListSessionsApiArg, SessionSummary } from '@/api/generated'

export type SortKey = NonNullable<ListSessionsApiArg['sort']>
export type Sort = { readonly key: SortKey; readonly down: boolean }
export type StateFilter = 'all' | 'completed' | 'stopped' | 'failed'
export type Filters = {
  readonly text: string
  readonly state: StateFilter
  readonly method: string
  readonly model: string
  readonly tag: string
}

export const NEWEST_FIRST: Sort = { key: 'date', down: true }
export const NO_FILTERS: Filters = { text: '', state: 'all', method: '', model: '', tag: '' }

const STATES: Record<Exclude<StateFilter, 'all'>, string> = {
  completed: 'completed',
  stopped: 'stopped,interrupted',
  failed: 'error',
}

export function sessionName(session: SessionSummary): string {
  return session.name ?? session.adapter_name ?? session.session_id
}

/** Pinned runs come first; what is not asked for is left out of the address. */
export function listRequest(filters: Filters, sort: Sort, limit: number): ListSessionsApiArg {
  const { text, state, method, model, tag } = filters
  return {
    limit,
    pinnedFirst: true,
    ...(sort.key === NEWEST_FIRST.key && sort.down ? {} : { sort: sort.key, order: sort.down ? ('desc' as const) : ('asc' as const) }),
    ...(state === 'all' ? {} : { state: STATES[state] }),
    ...(method === '' ? {} : { method }),
    ...(model === '' ? {} : { model }),
    ...(tag === '' ? {} : { tag }),
    ...(text.trim() === '' ? {} : { q: text.trim() }),
  }
}

/** The address of a comparison, which anybody can open again. */
export function comparisonAddress(ids: readonly string[]): string {
  return `/results/compare?ids=${ids.map(encodeURIComponent).join(',')}`
}
