/** A model in a few words. */
import type { ModelInfo } from '@/api/generated'
import { bytes, compact, plural } from '@/lib/format'

export function factsOf(model: ModelInfo): readonly string[] {
  const facts = [
    model.model_type,
    model.num_layers === null ? null : plural(model.num_layers, 'layer'),
    model.parameters === null ? null : millions(model.parameters),
    model.quantization ?? model.dtype,
    model.size_bytes === null ? null : bytes(model.size_bytes),
  ]
  return facts.filter((fact) => fact !== null)
}

/** Parameters for a badge: 494.0M, 2.7M, 7.62B. */
export function millions(value: number): string {
  if (value >= 1e9) return `${compact(value / 1e9)}B`
  return `${(value / 1e6).toFixed(1)}M`
}
