/** The page's one primary button, and the way to the configuration. */
import { Link } from 'react-router'
import type { Review } from './review'
import { isMac } from '@/lib/bridge'
import { Button } from '@/ui/Button'

type Props = {
  readonly review: Review
  readonly live: boolean
  readonly starting: boolean
  readonly canShowConfig: boolean
  readonly onStart: () => void
  readonly onShowConfig: () => void
}

export function StartActions({ review, live, starting, canShowConfig, onStart, onShowConfig }: Props) {
  return (
    <div className="flex flex-col gap-2">
      <Button
        kind="primary"
        size="large"
        className="w-full"
        disabled={review.kind !== 'ready' || live}
        busy={starting && 'Starting…'}
        onClick={onStart}
      >
        Start Training
        <kbd className="font-sans font-normal opacity-75" aria-hidden="true">
          {isMac() ? '⌘↩' : 'Ctrl ↩'}
        </kbd>
      </Button>
      <Button onClick={onShowConfig} disabled={!canShowConfig}>
        YAML and command
      </Button>
      {live ? (
        <p className="text-center text-small text-soft">
          A run is under way.{' '}
          <Link to="/training" className="font-medium text-accent hover:underline">
            Watch it
          </Link>
        </p>
      ) : null}
    </div>
  )
}
