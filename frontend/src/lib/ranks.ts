/** The processes of a run, as the form holds them: '' is one, `processes:2`, or `ring:/path/hosts.json`. */
import { numberText, parseNumber } from './numbers'

export type Ranks =
  | { readonly kind: 'one' }
  | { readonly kind: 'processes'; readonly count: string }
  | { readonly kind: 'hosts'; readonly backend: string; readonly path: string }

/** As the request spells it; null is one process. */
export type Distributed = { readonly processes?: number; readonly hostfile?: string; readonly backend?: string }

const PROCESSES = 'processes'

export function readRanks(draft: string): Ranks {
  const [head = '', ...rest] = draft.split(':')
  if (draft === '') return { kind: 'one' }
  if (head === PROCESSES) return { kind: 'processes', count: rest.join(':') }
  return { kind: 'hosts', backend: head, path: rest.join(':') }
}

export function ranksText(ranks: Ranks): string {
  switch (ranks.kind) {
    case 'one':
      return ''
    case 'processes':
      return `${PROCESSES}:${ranks.count}`
    case 'hosts':
      return `${ranks.backend}:${ranks.path}`
  }
}

/** What a request or a session has → the form's text; undefined where it is neither. */
export function ranksTextOf(value: object): string | undefined {
  const { processes, hostfile, backend } = value as Readonly<Record<string, unknown>>
  if (typeof processes === 'number') return ranksText({ kind: 'processes', count: numberText(processes) })
  if (typeof hostfile !== 'string') return undefined
  return ranksText({ kind: 'hosts', backend: typeof backend === 'string' ? backend : 'ring', path: hostfile })
}

export type ParsedRanks =
  | { readonly kind: 'value'; readonly value: Distributed }
  | { readonly kind: 'absent' }
  | { readonly kind: 'problem'; readonly message: string }

export function parseRanks({ min = 2, max = Infinity }: { readonly min?: number; readonly max?: number }, draft: string): ParsedRanks {
  const ranks = readRanks(draft)
  switch (ranks.kind) {
    case 'one':
      return { kind: 'absent' }
    case 'hosts': {
      const hostfile = ranks.path.trim()
      if (hostfile === '') return { kind: 'problem', message: 'Name the host file.' }
      return { kind: 'value', value: { hostfile, backend: ranks.backend } }
    }
    case 'processes': {
      const count = parseNumber(ranks.count)
      if (count !== null && Number.isInteger(count) && count >= min && count <= max) return { kind: 'value', value: { processes: count } }
      const given = ranks.count.trim() === '' ? '' : `; not ${ranks.count.trim()}`
      return { kind: 'problem', message: `A whole number of processes from ${min} to ${max}${given}.` }
    }
  }
}
