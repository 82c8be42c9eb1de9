/** How it ended and where its adapter is. */
import type { ReactNode } from 'react'
import { Link } from 'react-router'
import { count } from '@/lib/format'
import { CopyButton } from '@/ui/controls/CopyButton'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import type { SessionView } from './record'

export function SessionOutcome({ session }: { readonly session: SessionView }) {
  const { best, adapterPath, message, hint, command, resumedFrom } = session
  if (session.state === 'error' && message) return <ErrorPanel message={message} hint={hint} />
  if (!best?.path && !adapterPath && !message && !command && !resumedFrom) return null
  return (
    <section aria-label="Outcome" className="rounded-card border border-line bg-card px-4 py-3">
      {message ? <p className="mb-2 text-soft">{message}</p> : null}
      {hint ? <p className="mb-2 text-soft">{hint}</p> : null}
      {resumedFrom ? (
        <p className="mb-2 text-soft">
          Resumed from{' '}
          <Link
            to={`/results/${encodeURIComponent(resumedFrom.id)}`}
            className="rounded-small font-medium text-accent hover:underline"
          >
            an earlier session
          </Link>{' '}
          from iteration {count(resumedFrom.step)}; the curve shows both.
        </p>
      ) : null}
      <dl className="grid gap-x-6 gap-y-1.5 sm:grid-cols-[auto_minmax(0,1fr)]">
        {best?.path ? <Line label={`Best adapter · iteration ${count(best.step)}`} text={best.path} /> : null}
        {adapterPath && adapterPath !== best?.path ? <Line label="Latest adapter" text={adapterPath} /> : null}
        {command ? <Line label="Repeat in a terminal" text={command} /> : null}
      </dl>
    </section>
  )
}

function Line({ label, text }: { readonly label: ReactNode; readonly text: string }) {
  return (
    <>
      <dt className="text-small font-medium">{label}</dt>
      <dd className="flex min-w-0 items-baseline gap-3">
        <code className="min-w-0 truncate font-mono text-tiny text-soft" title={text}>
          {text}
        </code>
        <span className="shrink-0">
          <CopyButton text={text} />
        </span>
      </dd>
    </>
  )
}
