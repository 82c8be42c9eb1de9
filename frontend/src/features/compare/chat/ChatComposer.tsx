/** Where the next prompt is written: Enter sends, Shift+Enter begins a line, Escape stops. */
import { SendHorizontal, Settings2, Square, TextQuote } from 'lucide-react'
import { useEffect, useId, useState, type ReactNode, type Ref } from 'react'
import { Button } from '@/ui/controls/Button'
import { Notice } from '@/ui/feedback/Notice'
import { CONTROL } from '@/ui/controls/TextInput'
import { SamplingField, SamplingFields } from '@/features/compare/prompt/SamplingFields'
import { SystemField } from '@/features/compare/prompt/SystemField'
import type { Prompt } from '@/features/compare/prompt/usePrompt'
import type { Trained } from '@/features/compare/prompt/useTrained'
import { onSendKey } from './sendKey'

type Props = {
  readonly prompt: Prompt
  readonly trained: Trained | null
  readonly busy: boolean
  readonly blocked: string | null
  readonly onSend: () => void
  readonly onStop: () => void
  readonly more?: ReactNode
  readonly ref?: Ref<HTMLTextAreaElement>
}

export function ChatComposer({ prompt, trained, busy, blocked, onSend, onStop, more, ref }: Props) {
  const id = useId()
  const [open, setOpen] = useState<'system' | 'sampling' | null>(null)
  const { text, setText, form, change } = prompt
  useStopKey(busy, onStop)
  const toggle = (part: 'system' | 'sampling') => setOpen(open === part ? null : part)
  const send = () => {
    if (!busy && blocked === null && text.trim() !== '') onSend()
  }
  return (
    <div data-page-foot className="sticky bottom-0 z-10 -mx-4 -mb-4 border-t border-line bg-canvas px-4 pt-3 pb-3 md:-mx-7 md:-mb-5 md:px-7">
      <div className="flex flex-col gap-2.5">
        {open === 'system' ? <SystemField form={form} trained={trained} onChange={change} /> : null}
        {open === 'sampling' ? (
          <div className="flex max-h-[50dvh] flex-col gap-3 overflow-y-auto">
            <div className="grid grid-cols-2 gap-3 sm:w-72">
              <SamplingField field="temperature" form={form} onChange={change} />
              <SamplingField field="maxTokens" form={form} onChange={change} />
            </div>
            <SamplingFields form={form} onChange={change} />
          </div>
        ) : null}
        {blocked !== null && !busy ? <Notice>{blocked}</Notice> : null}
        <label htmlFor={id} className="sr-only">
          Message
        </label>
        <textarea
          id={id}
          ref={ref}
          value={text}
          rows={1}
          placeholder="Message… Shift+Enter for a new line"
          spellCheck={false}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => onSendKey(event, send)}
          className={`${CONTROL} max-h-48 min-h-10 resize-none px-2.5 py-2 [field-sizing:content]`}
        />
        <div className="flex flex-wrap items-center gap-2">
          <Button kind="ghost" size="small" aria-expanded={open === 'system'} onClick={() => toggle('system')}>
            <TextQuote className="size-3.5" aria-hidden="true" />
            <span>
              System<span className="max-sm:hidden"> prompt</span>
              {form.system.trim() === '' ? '' : ' · set'}
            </span>
          </Button>
          <Button kind="ghost" size="small" aria-expanded={open === 'sampling'} onClick={() => toggle('sampling')}>
            <Settings2 className="size-3.5" aria-hidden="true" />
            Sampling
          </Button>
          {more}
          <span className="flex-1" />
          {busy ? (
            <Button onClick={onStop}>
              <Square className="size-3 fill-current" aria-hidden="true" />
              Stop
              <kbd className="font-sans text-small opacity-80">Esc</kbd>
            </Button>
          ) : (
            <Button kind="primary" disabled={blocked !== null || text.trim() === ''} onClick={send}>
              <SendHorizontal className="size-3.5" aria-hidden="true" />
              Send
            </Button>
          )}
        </div>
      </div>
    </div>
  )
}

/** Escape stops, wherever the focus is, unless it closes a dialog. */
function useStopKey(busy: boolean, onStop: () => void): void {
  useEffect(() => {
    if (!busy) return
    const listen = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !event.defaultPrevented && document.querySelector('dialog[open]') === null) onStop()
    }
    window.addEventListener('keydown', listen)
    return () => window.removeEventListener('keydown', listen)
  }, [busy, onStop])
}
