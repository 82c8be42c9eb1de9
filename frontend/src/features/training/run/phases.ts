/** What a run is doing, in words. */
import type { RunView } from '@/run/reducer/runReducer'
import { assertNever } from '@/lib/assertNever'

const PHASES: Readonly<Record<string, string>> = {
  'loading model': 'Loading the model',
  'quantising base': 'Quantising the base (once)',
  'preparing data': 'Preparing the data',
  training: 'Training',
  evaluating: 'Evaluating',
  saving: 'Saving',
  paused: 'Paused',
  done: 'Finishing',
}

export function phaseWords(run: RunView): string {
  switch (run.state) {
    case 'idle':
      return 'Idle'
    case 'starting':
      return phaseOf(run) ?? 'Starting'
    case 'running':
      return phaseOf(run) ?? 'Training'
    case 'paused':
      return 'Paused'
    case 'stopping':
      return run.phase === 'saving' ? 'Stopping · saving' : 'Stopping'
    case 'completed':
      return run.earlyStopped ? 'Stopped early' : 'Completed'
    case 'stopped':
      return 'Stopped'
    case 'error':
      return 'Failed'
    case 'interrupted':
      return 'Interrupted'
    default:
      return assertNever(run.state)
  }
}

function phaseOf({ phase }: RunView): string | null {
  return phase === null ? null : (PHASES[phase] ?? phase)
}
