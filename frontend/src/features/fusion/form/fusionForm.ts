/** The form of a fusion: what is typed, what is allowed, what is sent. Pure. */
import type { FuseRequest, FusionAdapter, FusionCheck, FusionInfo } from '@/api/generated'
import { parseNumber } from '@/lib/numbers'
import { areEqual, equalWeights, fromNumbers, WHOLE } from './weights'

export type Method = NonNullable<FuseRequest['method']>

export const FEWEST = 2
export const MOST = 5
const MAX_RANK = 512
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/

export type MethodInfo = { readonly id: Method; readonly name: string; readonly line: string }

export const METHODS: readonly MethodInfo[] = [
  { id: 'weighted', name: 'Weighted', line: 'Adds the changes of all adapters, each times its weight. Exact.' },
  { id: 'slerp', name: 'SLERP', line: 'Goes from one adapter to another along an arc, which keeps the size of the change. Two adapters.' },
  { id: 'ties', name: 'TIES', line: 'Keeps the largest entries of each change and drops those whose sign is outvoted.' },
  { id: 'dare', name: 'DARE', line: 'Drops entries at random, scales up those that remain, then adds them with the weights.' },
]

export type FusionFields = {
  readonly method: Method
  /** Thousandths, in the order of the chosen adapters; null: equal ones. */
  readonly weights: readonly number[] | null
  readonly density: string
  readonly outputName: string
  readonly outputRank: string
  readonly data: string
}

export const FORM: FusionFields = { method: 'weighted', weights: null, density: '0.5', outputName: '', outputRank: '', data: '' }

export function methodName(method: Method): string {
  return METHODS.find(({ id }) => id === method)?.name ?? method
}

export function hasDensity(method: Method): boolean {
  return method === 'ties' || method === 'dare'
}

export function weightsOf(fields: FusionFields, count: number): readonly number[] {
  return fields.weights?.length === count ? fields.weights : equalWeights(count)
}

/** By the server's names of the fields, so that its own refusals stand in the same places. */
export function formProblems(fields: FusionFields, chosen: number): Readonly<Record<string, string>> {
  const found: Record<string, string> = {}
  if (fields.method === 'slerp' && chosen > 2) {
    found['method'] = `SLERP takes two adapters, and ${chosen} are chosen. Choose two, or another method.`
  }
  const density = parseNumber(fields.density)
  if (hasDensity(fields.method) && (density === null || density <= 0 || density > 1)) {
    found['density'] = 'A number above 0, up to 1.'
  }
  const rank = parseNumber(fields.outputRank)
  if (fields.outputRank.trim() !== '' && (rank === null || !Number.isInteger(rank) || rank < 1 || rank > MAX_RANK)) {
    found['output_rank'] = `A whole number from 1 to ${MAX_RANK}, or empty.`
  }
  if (fields.outputName.trim() !== '' && !NAME.test(fields.outputName.trim())) {
    found['output_name'] = 'Letters, digits, dot, dash and underscore, at most 100; it begins with a letter or a digit.'
  }
  return found
}

export function bodyFor(fields: FusionFields, names: readonly string[]): FuseRequest {
  const weights = weightsOf(fields, names.length)
  const text = (value: string) => (value.trim() === '' ? null : value.trim())
  return {
    adapter_names: [...names],
    method: fields.method,
    weights: areEqual(weights) ? null : weights.map((weight) => weight / WHOLE),
    output_name: text(fields.outputName),
    output_rank: fields.outputRank.trim() === '' ? null : parseNumber(fields.outputRank),
    ...(hasDensity(fields.method) ? { density: parseNumber(fields.density) ?? 0.5 } : {}),
    evaluation_dataset: text(fields.data),
  }
}

/** A result's settings, to fuse again; its name is taken. */
export function fieldsOf(info: FusionInfo): FusionFields {
  return {
    ...FORM,
    method: info.method,
    weights: fromNumbers(info.weights),
    density: String(info.density ?? FORM.density),
  }
}

/** What an empty output rank means. */
export function rankHelp(method: Method, check: FusionCheck | undefined): string {
  const rank = check?.rank == null ? 'the ranks added' : `rank ${check.rank}, the ranks added`
  if (hasDensity(method)) return `Empty: ${rank}. What ${methodName(method)} changes beyond that rank is cut off.`
  return `Empty: ${rank}; exact. A smaller rank cuts off the least of the change.`
}

export type Group = { readonly base: string | null; readonly adapters: readonly FusionAdapter[] }

/** By base, as the server orders them; adapters without a known base last. */
export function groupsOf(adapters: readonly FusionAdapter[]): readonly Group[] {
  const bases = [...new Set(adapters.map(({ base }) => base))]
  const known = bases.filter((base) => base !== null)
  return [...known, ...(bases.includes(null) ? [null] : [])].map((base) => ({
    base,
    adapters: adapters.filter((adapter) => adapter.base === base),
  }))
}

/** Whether any base has enough adapters that can be merged. */
export function canFuse(groups: readonly Group[]): boolean {
  return groups.some(({ adapters }) => adapters.filter(({ problem }) => problem === null).length >= FEWEST)
}

/** `?adapters=a,b`; a comma within a name is written %2C. */
export function readNames(text: string | null): readonly string[] {
  const names = (text ?? '').split(',').filter(Boolean).map(decoded)
  return [...new Set(names)]
}

export function writeNames(names: readonly string[]): string {
  return names.map((name) => name.replaceAll('%', '%25').replaceAll(',', '%2C')).join(',')
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
