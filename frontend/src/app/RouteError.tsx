/** A page that broke: say so, keep the rest of the app, offer a way on. */
import { useRouteError } from 'react-router'
import { Button } from '@/ui/controls/Button'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'

export function RouteError() {
  const error = useRouteError()
  const detail = error instanceof Error ? `${error.message}\n${error.stack ?? ''}` : String(error)
  return (
    <div className="mx-auto max-w-xl p-6">
      <ErrorPanel
        message="This page stopped working."
        hint="Training is not affected. Reload the page; if it happens again, copy the details into a report."
        detail={detail}
        action={
          <Button size="small" onClick={() => globalThis.location.reload()}>
            Reload
          </Button>
        }
      />
    </div>
  )
}
