/** Names of adapters that a new run can't have: of sessions, and of runs that wait. */
type Named = { readonly adapter_name: string | null }

export function namesTaken(sessions: readonly Named[] = [], queue: readonly Named[]): ReadonlySet<string> {
  return new Set([...sessions, ...queue].map((each) => each.adapter_name).filter((name) => name !== null))
}
