/** The state of a run as a word with a tone. */
import { Badge, type Tone } from '@/ui/Badge'

export type ShownState =
  | 'idle'
  | 'starting'
  | 'running'
  | 'paused'
  | 'stopping'
  | 'completed'
  | 'stopped'
  | 'error'
  | 'interrupted'

export const STATE_WORDS: Record<ShownState, string> = {
  idle: 'Idle',
  starting: 'Starting',
  running: 'Running',
  paused: 'Paused',
  stopping: 'Stopping',
  completed: 'Completed',
  stopped: 'Stopped',
  error: 'Failed',
  interrupted: 'Interrupted',
}

const TONES: Record<ShownState, Tone> = {
  idle: 'neutral',
  starting: 'accent',
  running: 'accent',
  paused: 'warn',
  stopping: 'accent',
  completed: 'good',
  stopped: 'neutral',
  error: 'bad',
  interrupted: 'warn',
}

export function StateBadge({ state }: { readonly state: ShownState }) {
  return <Badge tone={TONES[state]}>{STATE_WORDS[state]}</Badge>
}
