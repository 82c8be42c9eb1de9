/** What one target said in a turn: its text, its thoughts folded, and what it took. */
import type { ChatAnswer } from '@/api/generated'
import { Badge } from '@/ui/Badge'
import { CopyButton } from '@/ui/controls/CopyButton'
import { Notice } from '@/ui/feedback/Notice'
import { Spinner } from '@/ui/feedback/Spinner'
import { answerText, type Side } from '@/features/compare/ask/asked'
import { targetLabel, type Target } from '@/features/compare/targets/targets'
import { lengthNote, timingWords, waitingWords } from '@/features/compare/words'
import { answerOf } from './chat'

type Props = { readonly turn: number; readonly target: Target; readonly answer: ChatAnswer; readonly side: Side | null }

export function ChatAnswerCard({ turn, target, answer, side }: Props) {
  const title = targetLabel(target)
  const text = side ? answerText(side) : answerOf(answer)
  const open = side !== null && (side.state === 'waiting' || side.state === 'preparing' || side.state === 'answering')
  const failed = answer.finish_reason === 'failed'
  const facts = timingWords(answer.stats ?? {}, target.adapter !== null)
  const note = lengthNote(answer.finish_reason)
  return (
    <div role="group" aria-label={`${title}, turn ${turn}`} aria-busy={open} className="flex min-w-0 flex-col gap-1.5 rounded-card border border-line bg-card px-3.5 py-2.5">
      <header className="flex min-h-7 items-center gap-2">
        <h2 className="min-w-0 text-small font-semibold break-all">{title}</h2>
        {target.adapter === null ? <Badge>base</Badge> : null}
        {text !== '' && !open ? <span className="ml-auto"><CopyButton text={text} /></span> : null}
      </header>
      {answer.thoughts ? (
        <details className="text-small text-soft">
          <summary className="w-fit cursor-pointer rounded-small">Thoughts</summary>
          <p className="mt-1 border-l-2 border-line pl-2.5 break-words whitespace-pre-wrap">{answer.thoughts}</p>
        </details>
      ) : null}
      {open && text === '' ? (
        <p className="flex items-center gap-2 text-soft">
          <Spinner />
          {waitingWords(side)}
        </p>
      ) : (
        <p className="flex-1 break-words whitespace-pre-wrap">
          {text === '' ? <span className="text-faint">{emptyWords(answer)}</span> : text}
          {open ? <span aria-hidden="true" className="ml-0.5 inline-block h-3.5 w-1.5 translate-y-0.5 bg-accent" /> : null}
        </p>
      )}
      {answer.warnings?.map((warning) => (
        <Notice key={warning} tone={failed ? 'bad' : 'warn'}>
          {warning}
        </Notice>
      ))}
      {facts.length > 0 || note ? (
        <p className="text-small text-faint tabular-nums">
          {facts.join(' · ')}
          {note ? <span className="text-warn">{facts.length > 0 ? ` · ${note}` : note}</span> : null}
        </p>
      ) : null}
    </div>
  )
}

function emptyWords({ finish_reason, thoughts }: ChatAnswer): string {
  if (finish_reason == null) return 'Interrupted before an answer. Regenerate it.'
  if (thoughts) return 'Thoughts only, no answer.'
  return finish_reason === 'stopped' ? 'Stopped before an answer.' : finish_reason === 'failed' ? 'No answer.' : 'Empty answer.'
}
