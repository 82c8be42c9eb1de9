/** What this tab trains unless told otherwise: query and value only, the baseline of Setup's full-layer runs. */
import type { ComponentProps } from 'react'
import { LoraCard } from './LoraCard'

type Props = Omit<ComponentProps<typeof LoraCard>, 'title' | 'subtitle'>

export function AdapterCard(props: Props) {
  return (
    <LoraCard
      {...props}
      title="LoRA"
      subtitle="Query and value by default: the attention-only baseline that Setup’s full-layer runs are compared with. Every other choice is yours."
    />
  )
}
