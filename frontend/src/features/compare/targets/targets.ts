/** Who is asked: a base, or an adapter on it. Kept in the address, so that a comparison can be linked. */
import type { AvailableAdapter, AvailableModels, SessionSummary } from '@/api/generated'

export type Checkpoint = 'best' | 'latest' | number
/** Without a checkpoint the server takes the best one, else the latest. */
export type Target = { readonly model: string; readonly adapter: string | null; readonly checkpoint: Checkpoint | null }

/** As many as the server answers at once. */
export const MOST_TARGETS = 8

export function sameTarget(a: Target, b: Target): boolean {
  return a.model === b.model && a.adapter === b.adapter && a.checkpoint === b.checkpoint
}

/** Unique among the targets of a page. */
export function targetKey(target: Target): string {
  return writeTarget(target)
}

/** What stands above its answer. */
export function targetTitle({ model, adapter }: Target): string {
  return adapter ?? model
}

/** Tells two checkpoints of one adapter apart, where one was chosen by hand. */
export function targetLabel(target: Target): string {
  const title = targetTitle(target)
  return target.checkpoint === null ? title : `${title} (${checkpointWords(target.checkpoint)})`
}

export function checkpointWords(checkpoint: Checkpoint | null): string {
  return typeof checkpoint === 'number' ? `iteration ${checkpoint.toLocaleString('en-US')}` : (checkpoint ?? 'best or latest')
}

/** `base`, `base::adapter` or `base::adapter@checkpoint`; adapters have neither `:` nor `@` in their names. */
export function writeTarget({ model, adapter, checkpoint }: Target): string {
  if (adapter === null) return model
  return `${model}::${adapter}${checkpoint === null ? '' : `@${checkpoint}`}`
}

export function readTarget(text: string): Target | null {
  const at = text.lastIndexOf('::')
  const model = at < 0 ? text : text.slice(0, at)
  if (model === '') return null
  if (at < 0) return { model, adapter: null, checkpoint: null }
  const named = readAdapter(text.slice(at + 2))
  return named && { model, ...named }
}

/** `name` or `name@checkpoint`, as links from other pages give it. */
export function readAdapter(text: string): Pick<Target, 'adapter' | 'checkpoint'> | null {
  const [adapter = '', word, ...rest] = text.split('@')
  if (adapter === '' || rest.length > 0) return null
  return { adapter, checkpoint: readCheckpoint(word) }
}

export function readCheckpoint(word: string | undefined): Checkpoint | null {
  if (word === 'best' || word === 'latest') return word
  return word !== undefined && /^\d{1,7}$/.test(word) ? Number(word) : null
}

export function distinct(targets: readonly Target[]): readonly Target[] {
  return [...new Map(targets.map((each) => [targetKey(each), each])).values()].slice(0, MOST_TARGETS)
}

/**
 * The adapters of a link, each behind its base, one that records none behind the first that it fits. An
 * adapter that is not here, or not with its base, is in `missing`.
 */
export function linkedTargets(names: readonly string[], available: AvailableModels) {
  const found: Target[] = []
  const missing: string[] = []
  for (const text of names) {
    const named = readAdapter(text)
    const base =
      available.models.find((model) => model.adapters.some((each) => each.name === named?.adapter)) ??
      baseFor(named?.adapter, available)
    if (!named || !base) missing.push(text)
    else found.push(bareBase(base.name), { model: base.name, ...named })
  }
  // Bases first, so that a difference is read from left to right.
  const ordered = [...found.filter((each) => each.adapter === null), ...found.filter((each) => each.adapter !== null)]
  return { targets: distinct(ordered), missing }
}

/** The newest adapter that can answer, beside its base. */
export function suggestedTargets(available: AvailableModels, sessions: readonly SessionSummary[]): readonly Target[] {
  const usable = new Set(available.models.flatMap((model) => model.adapters.filter(isUsable).map((each) => each.name)))
  const newest = sessions.find((session) => session.adapter_name !== null && usable.has(session.adapter_name))
  const name = newest?.adapter_name ?? [...usable][0]
  return name === undefined ? [] : linkedTargets([name], available).targets
}

/** Those that are still there, of what was remembered. */
export function knownTargets(targets: readonly Target[], available: AvailableModels): readonly Target[] {
  return targets.filter(({ model, adapter }) => {
    const found = available.models.find((each) => each.name === model)
    return found !== undefined && (adapter === null || adapterNamed(available, adapter) !== null)
  })
}

export function adapterNamed(available: AvailableModels, name: string): AvailableAdapter | null {
  const everywhere = [...available.models.flatMap((model) => model.adapters), ...(available.unassigned ?? [])]
  return everywhere.find((adapter) => adapter.name === name) ?? null
}

/** Of a model or an adapter. */
export function isUsable({ problem }: Pick<AvailableAdapter, 'problem'>): boolean {
  return problem == null
}

/** Adapters that do not say which base they were trained on. */
export function baselessOf({ unassigned = [] }: AvailableModels): readonly AvailableAdapter[] {
  return unassigned.filter((each) => each.recorded_base == null)
}

/** A model that an adapter fits which records no base. */
function baseFor(name: string | null | undefined, available: AvailableModels) {
  const { models } = available
  const fits = baselessOf(available).find((each) => each.name === name)?.fits ?? []
  return models.find((model) => isUsable(model) && fits.includes(model.name))
}

export function bareBase(model: string): Target {
  return { model, adapter: null, checkpoint: null }
}
