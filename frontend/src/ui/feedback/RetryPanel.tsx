/** What could not be loaded, with a way to try again. */
import { Button } from '@/ui/controls/Button'
import { ErrorPanel } from './ErrorPanel'

type Props = {
  readonly problem: { readonly detail: string; readonly hint: string | null }
  readonly retrying?: boolean
  readonly onRetry: () => void
}

export function RetryPanel({ problem, retrying = false, onRetry }: Props) {
  return (
    <ErrorPanel
      message={problem.detail}
      hint={problem.hint}
      action={
        <Button size="small" onClick={onRetry} busy={retrying && 'Retrying…'}>
          Try again
        </Button>
      }
    />
  )
}
