/** One comparison of before: its prompt in a line, its answers when opened. */
import { ChevronRight, CornerUpLeft, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { readProblem } from '@/api/errors'
import { useForgetComparisonMutation, useRateComparisonMutation, type Comparison, type SavedAnswer } from '@/api/generated'
import { cx } from '@/lib/cx'
import { moment } from '@/lib/format'
import { CopyButton } from '@/ui/controls/CopyButton'
import { IconButton } from '@/ui/controls/IconButton'
import { Notice } from '@/ui/feedback/Notice'
import { AnswerText } from '@/features/compare/ask/AnswerPanel'
import { answerTitle } from './exporting'
import { Stars } from './Stars'
import { useDeleted } from './useDeleted'
import { lengthNote, timingWords } from '@/features/compare/words'

type Props = { readonly comparison: Comparison; readonly onUse: (prompt: string) => void }

const SHOWN = 160

export function HistoryItem({ comparison, onUse }: Props) {
  const [open, setOpen] = useState(false)
  const [forget, { error }] = useForgetComparisonMutation()
  const deleted = useDeleted()
  const problem = readProblem(error)
  const { id, prompt, at, answers } = comparison
  const line = prompt.slice(0, SHOWN).replace(/\s+/g, ' ').trim()
  const remove = async () => {
    const { data } = await forget({ comparisonId: id })
    if (data) deleted(`Deleted “${line.slice(0, 40)}${line.length > 40 ? '…' : ''}”.`, data.undo)
  }
  return (
    <li className="border-b border-line py-1.5 last:border-0">
      <div className="flex min-w-0 items-center gap-1">
        <button
          type="button"
          aria-expanded={open}
          onClick={() => setOpen(!open)}
          className="flex min-w-0 flex-1 items-center gap-2 rounded-small py-1 text-left hover:text-accent"
        >
          <ChevronRight className={cx('size-3.5 shrink-0 text-faint transition-transform', open && 'rotate-90')} aria-hidden="true" />
          <span className="min-w-0 flex-1 truncate">{line}</span>
          <span className="hidden max-w-60 shrink-0 truncate text-small text-faint md:inline">{answers.map(answerTitle).join(' · ')}</span>
          <span className="shrink-0 text-small text-faint tabular-nums">{moment(at)}</span>
        </button>
        <IconButton icon={CornerUpLeft} label={`Use this prompt again: ${line}`} onClick={() => onUse(prompt)} />
        <IconButton icon={Trash2} label={`Delete from the history: ${line}`} onClick={() => void remove()} />
      </div>
      {problem ? <Notice tone="bad">{problem.detail}</Notice> : null}
      {open ? <Opened comparison={comparison} /> : null}
    </li>
  )
}

function Opened({ comparison }: { readonly comparison: Comparison }) {
  const { prompt, system, answers } = comparison
  return (
    <div className="flex flex-col gap-3 py-2 pl-5.5">
      {prompt.length > SHOWN || prompt.includes('\n') ? <Passage label="Prompt" text={prompt} /> : null}
      {system ? <Passage label="System prompt" text={system} /> : null}
      <div className="grid grid-cols-1 gap-3 md:grid-cols-[repeat(auto-fit,minmax(18rem,1fr))]">
        {answers.map((answer, at) => (
          // The same target may stand there twice, so only its place tells it apart.
          <Saved key={`${at} ${answerTitle(answer)}`} id={comparison.id} at={at} answer={answer} />
        ))}
      </div>
    </div>
  )
}

type SavedProps = { readonly id: string; readonly at: number; readonly answer: SavedAnswer }

function Saved({ id, at, answer }: SavedProps) {
  const [rate] = useRateComparisonMutation()
  const title = answerTitle(answer)
  const note = lengthNote(answer.finish_reason)
  return (
    <div className="flex min-w-0 flex-col gap-1.5 rounded-field border border-line p-3">
      <p className="flex items-center justify-between gap-2">
        <span className="min-w-0 font-medium break-all">{title}</span>
        <CopyButton text={answer.text} />
      </p>
      {answer.text === '' ? <p className="flex-1 text-faint">No answer.</p> : <AnswerText label={`Answer of ${title}`} text={answer.text} />}
      {answer.warnings?.map((warning) => (
        <Notice key={warning} tone="warn">
          {warning}
        </Notice>
      ))}
      <div className="flex flex-wrap items-center justify-between gap-2 text-small text-faint">
        {[...timingWords(answer.stats ?? {}, answer.adapter_name != null), ...(note ? [note] : [])].join(' · ')}
        <Stars
          label={`Stars for ${title}`}
          value={answer.rating ?? null}
          onRate={async (rating) => (await rate({ comparisonId: id, rating: { answer: at, rating } })).data !== undefined}
        />
      </div>
    </div>
  )
}

function Passage({ label, text }: { readonly label: string; readonly text: string }) {
  return (
    <div className="min-w-0">
      <p className="text-tiny text-faint">{label}</p>
      <AnswerText label={label} text={text} />
    </div>
  )
}
