/** As long as no file is chosen: one press from here to a trained adapter. */
import { Rocket } from 'lucide-react'
import type { ModelInfo } from '@/api/generated'
import { duration } from '@/lib/format'
import { Button } from '@/ui/controls/Button'

type Props = {
  readonly demo: ModelInfo
  /** Seconds, where the server could tell. */
  readonly estimate: number | null
  readonly starting: boolean
  readonly onStart: () => void
}

export function GuideCard({ demo, estimate, starting, onStart }: Props) {
  return (
    <section
      aria-label="Demo run"
      className="mb-4 flex flex-wrap items-center gap-x-4 gap-y-3 rounded-card border border-line bg-card px-4 py-3.5"
    >
      <span className="flex size-9 shrink-0 items-center justify-center rounded-field bg-accent-wash text-accent">
        <Rocket className="size-4.5" strokeWidth={1.75} aria-hidden="true" />
      </span>
      <div className="min-w-0 flex-1 basis-72">
        <h2 className="text-body font-semibold text-ink">
          Train the demo model in about {estimate === null ? 'a minute' : duration(estimate)}
        </h2>
        <p className="text-small text-soft">
          {demo.name} is a small model that came with the app. It learns to answer like a sea captain, on this machine, while you watch the loss.
        </p>
      </div>
      <Button onClick={onStart} busy={starting && 'Starting…'}>
        Train the demo
      </Button>
    </section>
  )
}
