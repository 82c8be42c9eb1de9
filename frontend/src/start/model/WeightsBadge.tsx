/** Whether a model's weights fit this machine. What is sure before a preview: a run needs more than the weights alone. */
import type { ModelInfo } from '@/api/generated'
import { bytes } from '@/lib/format'
import { Badge } from '@/ui/Badge'

/** `limit` is the bytes that the engine may use on this machine, where known. */
type Props = { readonly model: ModelInfo; readonly limit: number | null }

/** Above this share the weights leave little for activations and optimizer. */
const TIGHT = 0.7

export function WeightsBadge({ model: { problem, size_bytes: size }, limit }: Props) {
  if (problem !== null) return <Badge tone="bad">Not usable</Badge>
  if (size === null || limit === null) return null
  const title = `The weights are ${bytes(size)}, of ${bytes(limit)} that the engine may use.`
  if (size > limit) return <Badge tone="bad" title={title}>{`Needs over ${bytes(size)}`}</Badge>
  return size > limit * TIGHT ? <Badge tone="warn" title={title}>Tight</Badge> : <Badge tone="good" title={title}>OK</Badge>
}
