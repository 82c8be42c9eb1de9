/** A fusion at work: its step, how far it is, and a way to stop it. */
import { Button } from '@/ui/controls/Button'
import { Card } from '@/ui/Card'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { StepProgress } from '@/ui/feedback/StepProgress'
import type { Fusion } from './useFusion'

const PHASES: Readonly<Record<string, string>> = {
  starting: 'Starting',
  'reading adapters': 'Reading the adapters',
  merging: 'Merging, matrix by matrix',
  writing: 'Writing the new adapter',
  scoring: 'Measuring the loss on the held-out rows',
  answering: 'Answering the held-out rows',
  done: 'Writing the result',
}

export function FusionProgress({ fusion }: { readonly fusion: Fusion }) {
  const { phase, share, names, outputName, stop, stopping, stopProblem } = fusion
  const words = PHASES[phase ?? ''] ?? 'Preparing'
  return (
    <Card
      title={`Fusing ${names.join(', ')}`}
      subtitle={outputName === null ? undefined : `into ${outputName}`}
      actions={
        <Button size="small" busy={stopping && 'Stopping…'} onClick={stop}>
          Stop
        </Button>
      }
    >
      <StepProgress label="Progress of the fusion" words={words} share={share} />
      {stopProblem ? <ErrorPanel className="mt-3" message={stopProblem.detail} hint={stopProblem.hint} /> : null}
    </Card>
  )
}
