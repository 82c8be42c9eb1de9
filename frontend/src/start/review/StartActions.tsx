/** The page's one primary button, and the way to the configuration. */
import { Link } from 'react-router'
import type { Review } from './review'
import { isMac } from '@/lib/bridge'
import { count } from '@/lib/format'
import { Button } from '@/ui/controls/Button'

type Props = {
  readonly review: Review
  readonly live: boolean
  /** A press adds to the queue, because a run holds the machine. */
  readonly queues: boolean
  readonly waiting: number
  readonly starting: boolean
  readonly canShowConfig: boolean
  readonly onStart: () => void
  readonly onShowConfig: () => void
}

export function StartActions(props: Props) {
  const { review, live, queues, waiting, starting, canShowConfig, onStart, onShowConfig } = props
  return (
    <div className="flex flex-col gap-2">
      <Button
        kind="primary"
        size="large"
        className="w-full"
        disabled={review.kind !== 'ready'}
        busy={starting && (queues ? 'Adding…' : 'Starting…')}
        onClick={onStart}
      >
        {queues ? 'Add to queue' : 'Start Training'}
        <kbd className="font-sans font-normal" aria-hidden="true">
          {isMac() ? '⌘↩' : 'Ctrl ↩'}
        </kbd>
      </Button>
      <Button onClick={onShowConfig} disabled={!canShowConfig}>
        YAML and command
      </Button>
      {live ? (
        <p className="text-center text-small text-soft">
          Training in progress{waiting > 0 ? `, ${count(waiting)} waiting` : ''}.{' '}
          <Link to="/training" className="font-medium text-accent hover:underline">
            View
          </Link>
        </p>
      ) : null}
    </div>
  )
}
