/** A model in badges, and whether a run with it fits this machine. */
import type { MemoryEstimate, ModelInfo } from '@/api/generated'
import { bytes, compact, gigabytes, plural } from '@/lib/format'
import { Badge } from '@/ui/Badge'
import { Notice } from '@/ui/Notice'

type Props = { readonly model: ModelInfo | null; readonly memory: MemoryEstimate | null }

export function ModelFacts({ model, memory }: Props) {
  if (!model) return null
  if (model.problem) {
    return (
      <Notice tone="bad" title="This model can’t be used" className="mt-2.5">
        {model.problem}
      </Notice>
    )
  }
  const facts = [
    model.model_type,
    model.num_layers === null ? null : plural(model.num_layers, 'layer'),
    model.parameters === null ? null : millions(model.parameters),
    model.quantization ?? model.dtype,
    model.size_bytes === null ? null : bytes(model.size_bytes),
  ]
  return (
    <>
    <div className="mt-2.5 flex flex-wrap gap-1.5">
      {facts.filter((fact) => fact !== null).map((fact) => (
        <Badge key={fact}>{fact}</Badge>
      ))}
      {model.chat_template === false ? <Badge tone="warn">no chat template</Badge> : null}
      <FitBadge memory={memory} />
    </div>
    <p className="mt-2 font-mono text-tiny break-all text-faint">{model.path}</p>
    </>
  )
}

function FitBadge({ memory }: { readonly memory: MemoryEstimate | null }) {
  if (!memory?.verdict) return null
  const need = `~${gigabytes(memory.estimate_gb)}`
  switch (memory.verdict) {
    case 'ok':
      return <Badge tone="good">Fits · {need}</Badge>
    case 'tight':
      return <Badge tone="warn">Tight · {need}</Badge>
    case 'too_large':
      return <Badge tone="bad">Needs {need}</Badge>
  }
}

/** Parameters for a badge: 494.0M, 2.7M, 7.62B. */
function millions(value: number): string {
  if (value >= 1e9) return `${compact(value / 1e9)}B`
  return `${(value / 1e6).toFixed(1)}M`
}
