/** How the run ended: which adapter is best and where it is, or what went wrong and what to do. */
import { CircleCheck, CircleSlash, Unplug } from 'lucide-react'
import { adapterName } from '@/run/reducer/runConfig'
import type { RunView } from '@/run/reducer/runReducer'
import { bestWords, metricWords } from '@/run/series/best'
import { progressOf, timesOf } from '@/run/reducer/runSlice'
import { compact, count, duration, plural } from '@/lib/format'
import { ActionLink } from '@/ui/controls/ActionLink'
import { CopyButton } from '@/ui/controls/CopyButton'
import { ResumeRunButton } from '@/features/training/commands/ResumeRunButton'
import { RunFailure } from './RunFailure'

export function RunOutcome({ run }: { readonly run: RunView }) {
  switch (run.state) {
    case 'completed':
      return <Ended run={run} icon={CircleCheck} tone="text-good" title={run.earlyStopped ? 'Stopped early' : 'Training is complete'} />
    case 'stopped':
      return <Ended run={run} icon={CircleSlash} tone="text-soft" title="Training was stopped" />
    case 'interrupted':
      return <Ended run={run} icon={Unplug} tone="text-warn" title="The run was interrupted" />
    case 'error':
      return <RunFailure run={run} />
    default:
      return null
  }
}

/** How long it was; where one that was cut short ended, its message says. */
function lengthWords(run: RunView): string {
  const { step } = progressOf(run)
  const { elapsed } = timesOf(run, 0)
  const whole = run.state === 'completed'
  return [
    step === null || !whole ? null : plural(step, 'iteration'),
    run.metrics.epoch == null || !whole ? null : `${compact(run.metrics.epoch, 2)} epochs`,
    elapsed === null ? null : `Total ${duration(elapsed)}`,
  ]
    .filter(Boolean)
    .join(' · ')
}

/** Of a path the parts that tell it from others: the folder of all adapters is the same. */
function endOf(path: string): string {
  const parts = path.split('/')
  return parts.length > 4 ? `…/${parts.slice(-3).join('/')}` : path
}

type EndedProps = {
  readonly run: RunView
  readonly icon: typeof CircleCheck
  readonly tone: string
  readonly title: string
}

function Ended({ run, icon: Icon, tone, title }: EndedProps) {
  const { best, adapterPath } = run
  const name = adapterName(run.config)
  const message = run.message ?? run.error?.message
  return (
    <section aria-label="Outcome" className="flex flex-col gap-3 rounded-card border border-line bg-card p-4">
      <div className="flex min-w-0 gap-3">
        <Icon className={`mt-0.5 size-5 shrink-0 ${tone}`} strokeWidth={1.75} aria-hidden="true" />
        <div className="min-w-0 flex-1">
          <div className="flex flex-wrap items-baseline gap-x-3">
            <h2 className="text-lead font-semibold">{title}</h2>
            <p className="text-soft">{lengthWords(run)}</p>
          </div>
          {message ? <p className="text-soft">{message}</p> : null}
          {run.error?.hint ? <p className="text-soft">{run.error.hint}</p> : null}
          <dl className="mt-1.5 flex flex-col gap-1">
            {best ? (
              <Path label={`Best adapter · iteration ${count(best.step)}, ${metricWords(best.metric)} ${bestWords(best.metric, best.value)}`} path={best.path} />
            ) : null}
            {adapterPath && adapterPath !== best?.path ? <Path label="Latest adapter" path={adapterPath} /> : null}
          </dl>
        </div>
      </div>
      <div className="flex flex-wrap gap-2 sm:pl-8">
        {adapterPath && name ? (
          <ActionLink primary to={`/compare?adapter=${encodeURIComponent(name)}`}>
            Compare with base
          </ActionLink>
        ) : null}
        <ActionLink to="/setup">Set up a run</ActionLink>
        <ResumeRunButton run={run} />
        {run.sessionId ? <ActionLink to={`/results/${encodeURIComponent(run.sessionId)}`}>Open in Results</ActionLink> : null}
        {adapterPath && name ? <ActionLink to={`/fusion?export=${encodeURIComponent(name)}`}>Export…</ActionLink> : null}
        {adapterPath && name ? <ActionLink to={`/fusion?adapters=${encodeURIComponent(name)}`}>Fuse with…</ActionLink> : null}
      </div>
    </section>
  )
}

function Path({ label, path }: { readonly label: string; readonly path: string }) {
  return (
    <div className="flex min-w-0 flex-wrap items-baseline gap-x-3">
      <dt className="text-small font-medium">{label}</dt>
      <dd className="flex min-w-0 items-baseline gap-3">
        <code className="min-w-0 font-mono text-tiny break-all text-soft" title={path}>
          {endOf(path)}
        </code>
        <span className="shrink-0">
          <CopyButton text={path} label="Copy path" />
        </span>
      </dd>
    </div>
  )
}
