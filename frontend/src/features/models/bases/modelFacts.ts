/** Where a model comes from, and its precision, in words. */
import type { ModelInfo } from '@/api/generated'

export function sourceWords({ source }: ModelInfo): string | null {
  const made = source?.converted_from
  if (made) return `Converted from ${made.name}`
  if (!source?.repo_id) return null
  const revision = source.revision && source.revision !== 'main' ? ` @ ${source.revision}` : ''
  return `Downloaded from ${source.repo_id}${revision}`
}

export function templateWords({ chat_template: template }: ModelInfo): string {
  if (template === null) return '—'
  return template ? 'yes' : 'none'
}

/** Why it can't be deleted here; null where it can. */
export function keptReason(model: ModelInfo): string | null {
  return model.own ? null : `${model.name} is not in the app’s own models folder, so it can’t be deleted here`
}

/** Why it can't be converted; null where it can. */
export function fixedReason(model: ModelInfo): string | null {
  if (model.problem !== null) return `${model.name} can’t be used, so it can’t be converted`
  if (model.quantization !== null) return `${model.name} is quantised already`
  return null
}
