/** What went wrong, what to do, the last lines of the log, and a way to copy it all. */
import { CircleX } from 'lucide-react'
import type { RunView } from '@/run/reducer/runReducer'
import { ActionLink } from '@/ui/controls/ActionLink'
import { CopyButton } from '@/ui/controls/CopyButton'
import { ResumeRunButton } from '@/features/training/commands/ResumeRunButton'

export function RunFailure({ run }: { readonly run: RunView }) {
  const message = run.error?.message ?? run.message ?? 'The run ended for an unknown reason.'
  const hint = run.error?.hint
  const tail = run.error?.log_tail ?? []
  return (
    <section role="alert" aria-label="Outcome" className="rounded-card border border-bad/40 bg-card p-4">
      <div className="flex flex-wrap items-start gap-x-6 gap-y-3">
        <div className="flex min-w-0 flex-1 basis-80 gap-3">
          <CircleX className="mt-0.5 size-5 shrink-0 text-bad" strokeWidth={1.75} aria-hidden="true" />
          <div className="min-w-0">
            <h2 className="text-lead font-semibold">Training failed</h2>
            <p className="break-words">{message}</p>
            {hint ? <p className="mt-1 break-words text-soft">{hint}</p> : null}
            {run.best ? (
              <p className="mt-1 text-soft">
                Best adapter so far: <code className="font-mono text-tiny break-all">{run.best.path}</code>
              </p>
            ) : null}
          </div>
        </div>
        <div className="flex flex-wrap items-center gap-3">
          <CopyButton text={[message, hint, ...tail].filter(Boolean).join('\n')} label="Copy details" />
          <ResumeRunButton run={run} />
          <ActionLink to="/settings?at=help">Troubleshooting</ActionLink>
          <ActionLink to="/setup" primary>
            Edit setup
          </ActionLink>
        </div>
      </div>
      {tail.length > 0 ? (
        <details className="mt-3" open>
          <summary className="text-small font-medium text-soft">Last lines of the log</summary>
          {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
          <pre tabIndex={0} className="mt-1.5 max-h-48 overflow-auto rounded-field bg-sunken p-3 font-mono text-tiny">
            {tail.join('\n')}
          </pre>
        </details>
      ) : null}
    </section>
  )
}
