/** A model in badges, and whether a run with it fits this machine. */
import type { MemoryEstimate, ModelInfo } from '@/api/generated'
import { factsOf } from './modelWords'
import { gigabytes } from '@/lib/format'
import { Badge } from '@/ui/Badge'
import { Notice } from '@/ui/feedback/Notice'

type Props = {
  readonly model: ModelInfo | null
  readonly memory: MemoryEstimate | null
  /** Its facts stand in the list already. */
  readonly listed?: boolean
}

export function ModelFacts({ model, memory, listed = false }: Props) {
  if (!model) return null
  if (model.problem) {
    return (
      <Notice tone="bad" title="This model can’t be used" className="mt-2.5">
        {model.problem}
      </Notice>
    )
  }
  return (
    <>
    <div className="mt-2.5 flex flex-wrap gap-1.5">
      {listed ? null : factsOf(model).map((fact) => <Badge key={fact}>{fact}</Badge>)}
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
