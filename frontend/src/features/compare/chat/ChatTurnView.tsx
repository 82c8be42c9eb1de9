/** One prompt and what every target answered; the prompt can be edited, the answers made anew. */
import { Pencil, RotateCcw } from 'lucide-react'
import { useState } from 'react'
import type { ChatTurn } from '@/api/generated'
import { Button } from '@/ui/controls/Button'
import { CopyButton } from '@/ui/controls/CopyButton'
import { IconButton } from '@/ui/controls/IconButton'
import { CONTROL } from '@/ui/controls/TextInput'
import type { Side } from '@/features/compare/ask/asked'
import { targetKey, type Target } from '@/features/compare/targets/targets'
import { ChatAnswerCard } from './ChatAnswerCard'
import { onSendKey } from './sendKey'

type Props = {
  readonly number: number
  readonly turn: ChatTurn
  readonly targets: readonly Target[]
  /** While it is being answered. */
  readonly sides: readonly Side[] | null
  /** Null where nothing can be asked now. */
  readonly onAsk: ((prompt: string) => void) | null
}

export function ChatTurnView({ number, turn, targets, sides, onAsk }: Props) {
  const [editing, setEditing] = useState<string | null>(null)
  const send = () => {
    if (editing === null || editing.trim() === '' || !onAsk) return
    setEditing(null)
    onAsk(editing)
  }
  return (
    <article aria-label={`Turn ${number}`} className="flex flex-col gap-2">
      {editing === null ? (
        <div className="ml-auto flex max-w-full min-w-0 items-start gap-1 md:max-w-4/5">
          {sides === null ? (
            <span className="flex shrink-0 items-center pt-1">
              <IconButton icon={Pencil} label={`Edit prompt ${number}`} disabled={!onAsk} onClick={() => setEditing(turn.prompt)} />
              <IconButton icon={RotateCcw} label={`Regenerate answers ${number}`} disabled={!onAsk} onClick={() => onAsk?.(turn.prompt)} />
              <span className="max-sm:hidden"><CopyButton text={turn.prompt} /></span>
            </span>
          ) : null}
          <p className="min-w-0 rounded-card bg-accent-wash px-3.5 py-2 break-words whitespace-pre-wrap">{turn.prompt}</p>
        </div>
      ) : (
        <div className="ml-auto flex w-full flex-col gap-2 md:w-4/5">
          <textarea
            aria-label={`Prompt ${number}`}
            // The button that was pressed is gone; typing goes on here.
            // eslint-disable-next-line jsx-a11y/no-autofocus
            autoFocus
            rows={2}
            value={editing}
            spellCheck={false}
            onChange={(event) => setEditing(event.target.value)}
            onKeyDown={(event) => {
              onSendKey(event, send)
              if (event.key === 'Escape') setEditing(null)
            }}
            className={`${CONTROL} max-h-64 resize-y px-2.5 py-2 [field-sizing:content]`}
          />
          <div className="flex justify-end gap-2">
            <Button size="small" onClick={() => setEditing(null)}>
              Cancel
            </Button>
            <Button size="small" kind="primary" disabled={!onAsk || editing.trim() === ''} onClick={send}>
              Send
            </Button>
          </div>
        </div>
      )}
      <div className="grid grid-cols-1 gap-2.5 md:grid-cols-[repeat(auto-fit,minmax(18rem,1fr))]">
        {turn.answers.map((answer, at) => {
          const target = targets[at]
          return target ? <ChatAnswerCard key={targetKey(target)} turn={number} target={target} answer={answer} side={sides?.[at] ?? null} /> : null
        })}
      </div>
    </article>
  )
}
