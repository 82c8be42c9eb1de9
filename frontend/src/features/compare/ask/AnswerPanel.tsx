/** One target and its answer: who, what it said, how long it took, and what to know of it. */
import { X } from 'lucide-react'
import type { ReactNode } from 'react'
import { cx } from '@/lib/cx'
import { Badge } from '@/ui/Badge'
import { CopyButton } from '@/ui/controls/CopyButton'
import { IconButton } from '@/ui/controls/IconButton'
import { Notice } from '@/ui/feedback/Notice'
import { Spinner } from '@/ui/feedback/Spinner'
import { useAdapterPromptsQuery } from '@/api/generated'
import { answerText, type Question, type Side } from './asked'
import { checkpointWords, targetTitle, type Target } from '@/features/compare/targets/targets'
import { askedWithout } from '@/features/compare/prompt/trained'
import { lengthNote, timingWords, waitingWords } from '@/features/compare/words'

type Props = {
  readonly target: Target
  readonly side: Side | null
  /** What was asked, once something was. */
  readonly question: Question | undefined
  readonly stars?: ReactNode
  readonly onRemove?: (() => void) | undefined
}

export function AnswerPanel({ target, side, question, stars, onRemove }: Props) {
  const details = side?.answer?.model_info.adapter_details
  const checkpoint = details?.checkpoint ?? target.checkpoint
  const title = targetTitle(target)
  const { currentData: trained } = useAdapterPromptsQuery({ name: target.adapter ?? '' }, { skip: target.adapter === null })
  const without = side ? askedWithout(trained, question) : null
  return (
    <section aria-label={title} className="flex min-w-0 flex-col rounded-card border border-line bg-card">
      <header className="flex min-h-11 flex-wrap items-center gap-x-2 gap-y-1 px-4 pt-3">
        <h2 className="min-w-0 text-body font-semibold break-all">{title}</h2>
        {target.adapter === null ? <Badge>base</Badge> : null}
        {target.adapter !== null && checkpoint !== null ? <Badge tone="accent">{checkpointWords(checkpoint)}</Badge> : null}
        {details && details.type !== 'lora' && details.type !== 'none' ? <Badge>{details.type}</Badge> : null}
        {details ? <TemplateBadge used={details.chat_template_used} /> : null}
        <span className="ml-auto flex items-center gap-1">
          {side && side.text !== '' ? <CopyButton text={answerText(side)} /> : null}
          {onRemove ? <IconButton icon={X} label={`Remove ${title}`} onClick={onRemove} /> : null}
        </span>
      </header>
      <div className="flex min-w-0 flex-1 flex-col gap-2 px-4 pt-2 pb-3">
        <Thoughts of={title} text={side?.answer?.thoughts} />
        <Said side={side} title={title} />
        {side?.problem ? (
          <Notice tone="bad" title={side.problem.detail}>
            {side.problem.hint}
          </Notice>
        ) : null}
        {without ? <Notice tone="warn">{without}</Notice> : null}
        {details?.warnings.map((warning) => (
          <Notice key={warning} tone="warn">
            {warning}
          </Notice>
        ))}
        <Footer side={side} stars={stars} />
      </div>
    </section>
  )
}

function TemplateBadge({ used }: { readonly used: boolean }) {
  const title = used ? 'Formatted with the model’s chat template' : 'Sent without a chat template'
  return <Badge title={title}>{used ? 'chat template' : 'plain text'}</Badge>
}

function Said({ side, title }: { readonly side: Side | null; readonly title: string }) {
  if (side === null) return <p className="min-h-24 flex-1 text-faint">The answer appears here.</p>
  if (side.text === '' && (side.state === 'waiting' || side.state === 'preparing' || side.state === 'answering')) {
    return (
      <p className="flex min-h-24 flex-1 items-start gap-2 text-soft" role="status">
        <span className="flex h-5 items-center">
          <Spinner />
        </span>
        {waitingWords(side)}
      </p>
    )
  }
  const shown = answerText(side)
  if (shown === '' && side.text !== '') return <p className="min-h-24 flex-1 text-faint">Thoughts only, no answer.</p>
  if (shown === '') {
    const words = side.state === 'done' ? 'Empty answer.' : side.state === 'stopped' ? 'Stopped before an answer.' : ''
    return <p className="min-h-24 flex-1 text-faint">{words}</p>
  }
  return <AnswerText label={`Answer of ${title}`} text={shown} busy={side.state === 'answering'} />
}

type TextProps = { readonly label: string; readonly text: string; readonly busy?: boolean; readonly short?: boolean }

/** A long text scrolls in its box, so the keyboard must be able to reach it. */
export function AnswerText({ label, text, busy, short }: TextProps) {
  return (
    <div
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      role="group"
      aria-label={label}
      aria-busy={busy}
      className={cx(
        'overflow-y-auto rounded-small break-words whitespace-pre-wrap',
        short ? 'max-h-40' : 'max-h-[60dvh] min-h-24 flex-1',
      )}
    >
      {text}
      {busy ? <span aria-hidden="true" className="ml-0.5 inline-block h-3.5 w-1.5 translate-y-0.5 bg-accent" /> : null}
    </div>
  )
}

/** What the model thought before it answered: folded, and shown on demand. */
export function Thoughts({ of, text }: { readonly of: string; readonly text: string | null | undefined }) {
  if (!text) return null
  return (
    <details className="text-small text-soft">
      <summary className="cursor-pointer">Thoughts</summary>
      <AnswerText label={`Thoughts of ${of}`} text={text} short />
    </details>
  )
}

function Footer({ side, stars }: { readonly side: Side | null; readonly stars: ReactNode }) {
  const note = lengthNote(side?.answer?.stats.finish_reason) ?? (side?.state === 'stopped' ? 'stopped' : null)
  return (
    <div className="flex min-h-6 items-end justify-between gap-3 text-small text-faint">
      <span className="min-w-0 flex-1 tabular-nums">{side?.answer ? timingWords(side.answer.stats, side.target.adapter !== null).join(' · ') : ''}</span>
      <div className="flex shrink-0 items-center gap-2">
        {note ? <span className="text-warn">{note}</span> : null}
        {stars}
      </div>
    </div>
  )
}
