/** Adapters in groups, by their base or by task, and what they save against whole models. */
import type { AdapterInfo, ModelInfo } from '@/api/generated'
import { baseName, bytes, plural } from '@/lib/format'

export type Grouping = 'base' | 'task'
export type AdapterGroup = { readonly name: string; readonly note: string | null; readonly adapters: readonly AdapterInfo[] }

const NO_BASE = 'Base not recorded'
const NO_TAG = 'Without a tag'

export function groupsOf(adapters: readonly AdapterInfo[], by: Grouping): readonly AdapterGroup[] {
  const groups = new Map<string, AdapterInfo[]>()
  for (const adapter of adapters) {
    for (const name of by === 'base' ? [baseOf(adapter)] : tagsOf(adapter)) {
      groups.set(name, [...(groups.get(name) ?? []), adapter])
    }
  }
  const last = by === 'base' ? NO_BASE : NO_TAG
  return [...groups]
    .sort(([a], [b]) => Number(a === last) - Number(b === last) || a.localeCompare(b))
    .map(([name, members]) => ({ name, note: by === 'base' ? baseNote(members) : null, adapters: members }))
}

/** Those whose name, base, tags, run or data file hold every word. */
export function chosenAdapters(adapters: readonly AdapterInfo[], text: string): readonly AdapterInfo[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  return adapters.filter((adapter) => {
    const all = [adapter.name, baseOf(adapter), ...adapter.tags, adapter.method, adapter.session_name, adapter.train_data?.path]
    const line = all.filter(Boolean).join(' ').toLowerCase()
    return words.every((word) => line.includes(word))
  })
}

/** "7 adapters, 43 MB, instead of 7 models, 6.9 GB": of those whose base is here; null where nothing is saved. */
export function savingWords(adapters: readonly AdapterInfo[], models: readonly ModelInfo[]): string | null {
  const sizes = new Map(models.map((model) => [model.name, model.size_bytes]))
  const counted = adapters.flatMap((adapter) => {
    const whole = adapter.base_name ? (sizes.get(adapter.base_name) ?? null) : null
    return whole === null || adapter.type === 'full' ? [] : [{ own: adapter.size_bytes, whole }]
  })
  const own = counted.reduce((sum, each) => sum + each.own, 0)
  const whole = counted.reduce((sum, each) => sum + each.whole, 0)
  if (counted.length === 0 || own >= whole) return null
  const rest = adapters.length - counted.length
  const others = rest > 0 ? ` (${rest} more not counted: full fine-tunes, or their base is not here)` : ''
  return `${plural(counted.length, 'adapter')}, ${bytes(own)}, instead of ${plural(counted.length, 'model')}, ${bytes(whole)}${others}`
}

/** Tags as they are typed, with commas between them. */
export function readTags(text: string): readonly string[] {
  return [...new Set(text.split(',').map((tag) => tag.trim()).filter(Boolean))]
}

function baseOf(adapter: AdapterInfo): string {
  return adapter.base_name ?? (adapter.base_model ? baseName(adapter.base_model) : NO_BASE)
}

function tagsOf(adapter: AdapterInfo): readonly string[] {
  return adapter.tags.length > 0 ? adapter.tags : [NO_TAG]
}

function baseNote([first]: readonly AdapterInfo[]): string | null {
  return first?.base_model && !first.base_name ? 'not on this machine' : null
}
