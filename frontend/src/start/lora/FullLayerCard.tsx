/** What Setup trains unless told otherwise: every matrix of every layer. */
import type { ComponentProps } from 'react'
import { LoraCard } from './LoraCard'

type Props = Omit<ComponentProps<typeof LoraCard>, 'title' | 'subtitle'>

export function FullLayerCard(props: Props) {
  return (
    <LoraCard
      {...props}
      title="Full-Layer LoRA Configuration"
      subtitle={
        <>
          Adapters on every matrix of every layer. Attention-only training lags behind it —{' '}
          <cite>“LoRA Without Regret”</cite>, Thinking Machines, 2025.
        </>
      }
    />
  )
}
