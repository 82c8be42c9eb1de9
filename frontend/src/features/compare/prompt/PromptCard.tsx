/** The prompt, how it is sampled, and the button that asks. */
import { Settings2, Square, TextQuote } from 'lucide-react'
import { useId, useRef, useState, type KeyboardEvent, type ReactNode } from 'react'
import { isMac } from '@/lib/bridge'
import { bytes } from '@/lib/format'
import { Button } from '@/ui/controls/Button'
import { Notice } from '@/ui/feedback/Notice'
import { CONTROL } from '@/ui/controls/TextInput'
import type { Pasted } from './paste'
import { PasteButton, pasteHint } from './PasteButton'
import { SamplingField, SamplingFields } from './SamplingFields'
import { fromRows, SystemField } from './SystemField'
import { TrainedPrompts } from './TrainedPrompts'
import type { Prompt } from './usePrompt'
import type { Trained } from './useTrained'

type Props = {
  readonly prompt: Prompt
  /** How the adapter's training rows ask, where there is one. */
  readonly trained: Trained | null
  readonly busy: boolean
  /** Why nothing can be asked now; null where it can. */
  readonly blocked: string | null
  readonly onAsk: () => void
  readonly onStop: () => void
  /** Chosen among the prompts of the run; without it, it only fills the field. */
  readonly onPrompt?: (text: string) => void
  /** Beside Sampling: what only one of the views has. */
  readonly more?: ReactNode
  readonly children?: ReactNode
}

const LONG = 2000
/** Of the system prompt null until someone opens or folds it: one from the training rows is shown. */
type Open = { readonly system: boolean | null; readonly sampling: boolean }

export function PromptCard({ prompt, trained, busy, blocked, onAsk, onStop, onPrompt, more, children }: Props) {
  const box = useRef<HTMLTextAreaElement>(null)
  const id = useId()
  const [pasted, setPasted] = useState<Pasted | null>(null)
  const { text, setText, form, change } = prompt
  const [open, setOpen] = useState<Open>({ system: form.system === '' ? null : true, sampling: false })
  const showsSystem = open.system ?? fromRows(form, trained)
  const hint = pasteHint(pasted)
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || !(event.metaKey || event.ctrlKey)) return
    event.preventDefault()
    if (!busy && blocked === null) onAsk()
  }
  return (
    // Cmd/Ctrl-Enter asks from every field of the card.
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions
    <div className="flex min-w-0 flex-col gap-3 rounded-card border border-line bg-card p-4" onKeyDown={onKeyDown}>
      <div className="flex min-w-0 flex-col gap-1.5">
        <div className="flex items-center justify-between gap-2">
          <label htmlFor={id} className="text-small font-medium">
            Prompt
          </label>
          <span className="flex items-center gap-2">
            {text.length > LONG ? <span className="text-tiny text-faint">{bytes(new Blob([text]).size)}</span> : null}
            <PasteButton box={box} onResult={setPasted} />
          </span>
        </div>
        <textarea
          id={id}
          ref={box}
          value={text}
          rows={3}
          placeholder="What do you want to ask?"
          spellCheck={false}
          aria-describedby={hint ? `${id}-hint` : undefined}
          onChange={(event) => {
            setText(event.target.value)
            setPasted(null)
          }}
          className={`${CONTROL} max-h-64 min-h-20 resize-y px-2.5 py-2 [field-sizing:content]`}
        />
        {hint ? (
          <p id={`${id}-hint`} role="status" className="text-small text-warn">
            {hint}
          </p>
        ) : null}
      </div>
      {trained ? (
        <TrainedPrompts trained={trained} system={form.system} onPrompt={onPrompt ?? setText} onSystem={(system) => change({ system })} />
      ) : null}
      {showsSystem ? <SystemField form={form} trained={trained} onChange={change} /> : null}
      <div className="flex flex-wrap items-end gap-x-3 gap-y-3">
        <div className="grid w-full grid-cols-2 gap-3 sm:w-72">
          <SamplingField field="temperature" form={form} onChange={change} />
          <SamplingField field="maxTokens" form={form} onChange={change} />
        </div>
        <div className="flex flex-1 flex-wrap items-center justify-end gap-2 sm:pb-5.5">
          <Button
            kind="ghost"
            size="small"
            aria-expanded={showsSystem}
            onClick={() => setOpen({ ...open, system: !showsSystem })}
            className="sm:h-8"
          >
            <TextQuote className="size-3.5" aria-hidden="true" />
            {form.system.trim() === '' ? 'System prompt' : 'System prompt · set'}
          </Button>
          <Button
            kind="ghost"
            size="small"
            aria-expanded={open.sampling}
            onClick={() => setOpen({ ...open, sampling: !open.sampling })}
            className="sm:h-8"
          >
            <Settings2 className="size-3.5" aria-hidden="true" />
            Sampling
          </Button>
          {more}
          <span className="flex-1" />
          {busy ? (
            <Button onClick={onStop}>
              <Square className="size-3 fill-current" aria-hidden="true" />
              Stop
            </Button>
          ) : (
            <Button kind="primary" disabled={blocked !== null} title={blocked ?? undefined} onClick={onAsk}>
              Ask
              <kbd className="font-sans text-small opacity-80">{isMac() ? '⌘↩' : 'Ctrl+↩'}</kbd>
            </Button>
          )}
        </div>
      </div>
      {open.sampling ? <SamplingFields form={form} onChange={change} /> : null}
      {blocked !== null && !busy && text.trim() !== '' ? <Notice>{blocked}</Notice> : null}
      {children}
    </div>
  )
}
