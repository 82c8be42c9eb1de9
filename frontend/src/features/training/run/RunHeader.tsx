/** Whose run this is, and what can be done with it now. */
import { Square } from 'lucide-react'
import { useState } from 'react'
import { useSelector } from 'react-redux'
import { adapterName, methodBadge, modelName } from '@/run/reducer/runConfig'
import type { RunView } from '@/run/reducer/runReducer'
import { selectLostAt } from '@/run/reducer/runSlice'
import { Badge } from '@/ui/Badge'
import { Button } from '@/ui/controls/Button'
import { HealthBadge } from '@/run/view/HealthBadge'
import { PageHeader } from '@/ui/PageHeader'
import { PauseButton, ResumeButton } from '@/features/training/commands/PauseButton'
import { StopDialog } from '@/features/training/commands/StopDialog'
import { stopKeys, useStopCommand } from '@/features/training/commands/useStopCommand'

export function RunHeader({ run }: { readonly run: RunView }) {
  const [asking, setAsking] = useState(false)
  const lost = useSelector(selectLostAt) !== null
  const stoppable = run.state === 'starting' || run.state === 'running' || run.state === 'paused'
  const badge = methodBadge(run.method, run.config)
  useStopCommand(stoppable && !lost, () => setAsking(true))
  return (
    <PageHeader
      title={adapterName(run.config) ?? 'Training'}
      subtitle={
        <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <HealthBadge verdict={run.health} />
          {badge ? <Badge tone="accent">{badge}</Badge> : null}
          {run.config ? <span>{modelName(run.config)}</span> : null}
        </span>
      }
    >
      {run.state === 'running' ? <PauseButton lost={lost} /> : null}
      {run.state === 'paused' ? <ResumeButton lost={lost} /> : null}
      {stoppable ? (
        <Button
          kind="danger"
          disabled={lost}
          title={lost ? 'The server can’t be reached.' : `Stop (${stopKeys()})`}
          onClick={() => setAsking(true)}
        >
          <Square className="size-3 fill-current" aria-hidden="true" />
          Stop…
        </Button>
      ) : null}
      {run.state === 'stopping' ? <Button busy="Stopping…" /> : null}
      <StopDialog open={asking && stoppable} onClose={() => setAsking(false)} hasBest={run.best !== null} />
    </PageHeader>
  )
}
