/** What will happen, what it costs, what is unusual; then the button. */
import type { ReactNode } from 'react'
import type { StartForm } from '@/start/fields/useStartForm'
import { ReviewFacts } from './ReviewFacts'
import { fixOf, headline, leavesRowsOut, type Review } from './review'
import type { PreviewState } from './previewState'
import type { Problem } from '@/api/errors'
import type { StartRemark } from '@/api/generated'
import { plural } from '@/lib/format'
import { Badge } from '@/ui/Badge'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { LinkButton } from '@/ui/controls/LinkButton'
import { Notice } from '@/ui/feedback/Notice'
import { ProgressBar } from '@/ui/feedback/ProgressBar'

type Props = {
  readonly form: StartForm
  readonly review: Review
  readonly state: PreviewState
  readonly startProblem: Problem | null
  /** What a page adds to the numbers. */
  readonly extra?: ReactNode
  readonly actions: ReactNode
}

export function ReviewCard({ form, review, state, startProblem, extra, actions }: Props) {
  const shown = review.kind === 'refused' ? null : state.preview
  const problem = startProblem ?? (review.kind === 'refused' ? review.problem : null)
  return (
    <section aria-label="Review" className="flex flex-col gap-3.5 rounded-card border border-line bg-card p-4">
      <header>
        <div className="flex items-center justify-between gap-2">
          <h2 className="text-body font-semibold text-ink">Review</h2>
          <ReviewBadge review={review} />
        </div>
        <p className="mt-0.5 text-small text-soft">{unusualLine(form.unusual.length)}</p>
      </header>
      {/* What was true before the refusal says nothing of what is refused. */}
      <ReviewFacts form={form} preview={shown} stale={!state.fresh} />
      {extra}
      {review.kind === 'incomplete' ? (
        <ul className="flex flex-col gap-1 text-small text-soft">
          {review.missing.map((each) => (
            <li key={each.name} className="flex gap-2">
              <span className="mt-1.5 size-1.5 shrink-0 rounded-full bg-warn" aria-hidden="true" />
              {each.message}
            </li>
          ))}
        </ul>
      ) : null}
      {state.rendered === null ? null : (
        <div className="flex flex-col gap-1.5">
          <p className="text-small text-soft">Rendering the rows with the chat template: {`${Math.round(state.rendered * 100)}\u00a0%`}</p>
          <ProgressBar label="Rendering the rows" value={state.rendered} />
        </div>
      )}
      <Remarks form={form} remarks={shown?.remarks ?? []} />
      {leavesRowsOut(problem) ? (
        <LinkButton className="self-start font-semibold underline" onClick={() => form.set('on_bad_rows', 'skip')}>
          Leave these rows out
        </LinkButton>
      ) : null}
      {problem ? <ErrorPanel message={problem.detail} hint={problem.hint} detail={detailOf(problem)} /> : null}
      {actions}
    </section>
  )
}

const LOOKS = [['error', 'bad'], ['caution', 'warn'], ['info', 'info']] as const

/** Each on one line, with the rest behind it; facts look like facts. */
function Remarks({ form, remarks }: { readonly form: StartForm; readonly remarks: readonly StartRemark[] }) {
  return LOOKS.map(([level, tone]) => {
    const shown = remarks.filter((each) => each.level === level)
    if (shown.length === 0) return null
    return (
      <Notice key={level} tone={tone}>
        <ul className="flex flex-col gap-2">
          {shown.map((remark) => {
            const fix = fixOf(form, remark)
            return (
              <li key={remark.message}>
                <Sentence text={remark.message} />{' '}
                {fix ? (
                  <LinkButton quiet className="font-semibold underline" onClick={() => form.set(fix.name, fix.draft)}>
                    {fix.label}
                  </LinkButton>
                ) : null}
              </li>
            )
          })}
        </ul>
      </Notice>
    )
  })
}

function Sentence({ text }: { readonly text: string }) {
  const head = headline(text)
  if (head === null) return text
  return (
    <details>
      <summary className="cursor-pointer list-none">
        {head} <span className="font-semibold underline">Why?</span>
      </summary>
      <p className="mt-1">{text}</p>
    </details>
  )
}

function detailOf({ fields, code }: Problem): string {
  const lines = Object.entries(fields).map(([field, message]) => `${field}: ${message}`)
  return [code, ...lines].join('\n')
}

export function ReviewBadge({ review }: { readonly review: Review }) {
  switch (review.kind) {
    case 'ready':
      return <Badge tone="good">Ready</Badge>
    case 'checking':
      return <Badge>Checking…</Badge>
    case 'refused':
      return <Badge tone="bad">Can’t start</Badge>
    case 'incomplete':
      return <Badge tone="warn">Not ready</Badge>
  }
}

function unusualLine(amount: number): string {
  if (amount === 0) return 'All settings at defaults'
  return `${plural(amount, 'setting')} ${amount === 1 ? 'differs' : 'differ'} from the defaults`
}
