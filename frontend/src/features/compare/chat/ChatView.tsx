/** A conversation with every target: several turns, each target with its own answers. */
import { useEffect, useRef, useState } from 'react'
import { useSelector } from 'react-redux'
import { plural } from '@/lib/format'
import { selectIsLive, type RunSliceState } from '@/run/reducer/runSlice'
import { Button } from '@/ui/controls/Button'
import { Switch } from '@/ui/controls/Switch'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { Notice } from '@/ui/feedback/Notice'
import { useUndo } from '@/ui/feedback/useUndo'
import { blockedBy, questionOf } from '@/features/compare/prompt/question'
import { TrainedPrompts } from '@/features/compare/prompt/TrainedPrompts'
import type { Prompt } from '@/features/compare/prompt/usePrompt'
import { useTrained } from '@/features/compare/prompt/useTrained'
import { targetLabel } from '@/features/compare/targets/targets'
import type { Targets } from '@/features/compare/targets/useTargets'
import { sameTargets, targetOf, turnOf } from './chat'
import { ChatBar } from './ChatBar'
import { ChatComposer } from './ChatComposer'
import type { Chatter } from './chatter'
import { ChatTurnView } from './ChatTurnView'
import { useChat } from './useChat'
import { useFollow } from './useFollow'

type Props = { readonly all: Targets; readonly chatter: Chatter; readonly prompt: Prompt }

export function ChatView({ all, chatter, prompt }: Props) {
  const { conversation, asked, problem, open, restart, save } = useChat(chatter, (chat) => {
    all.choose(chat.targets.map(targetOf))
    prompt.change({ system: chat.system ?? '' })
  })
  const live = useSelector((state: { readonly run: RunSliceState }) => selectIsLive(state))
  const [duringRun, setDuringRun] = useState(false)
  const offerUndo = useUndo()
  const box = useRef<HTMLTextAreaElement>(null)
  const end = useFollow(asked)
  const { turns } = conversation
  const trained = useTrained(all.targets, prompt)
  const busy = asked !== null
  const empty = turns.length === 0 && !busy
  const others = !empty && !sameTargets(conversation.targets, all.targets)
  const blocked = blockedBy({ form: prompt.form, targets: all.targets, duringRun, live })
  useEffect(() => box.current?.focus(), [conversation.key])

  const ask = (text: string, after: number) => {
    const targets = empty ? all.targets : conversation.targets
    const question = questionOf({ prompt: text, form: { ...prompt.form, raw: false }, targets, duringRun: duringRun && live })
    if (!question || blocked !== null || busy) return
    const dropped = turns.length - after
    if (dropped > 1) {
      offerUndo(`${plural(dropped - 1, 'later turn')} removed.`, () => void chatter.restore(turns, save))
    }
    void chatter.send(question, save, after)
  }
  const send = () => {
    ask(prompt.text, turns.length)
    prompt.setText('')
  }
  return (
    <div className="flex flex-1 flex-col gap-3">
      <ChatBar conversation={conversation} busy={busy} onNew={restart} onOpen={(id) => void open(id)} />
      {problem ? <ErrorPanel message={problem.detail} hint={problem.hint} /> : null}
      {empty ? <Nothing names={all.targets.map(targetLabel)} /> : null}
      <div role="log" aria-label="Conversation" aria-live="off" className="flex flex-col gap-4">
        {turns.map((turn, at) => (
          <ChatTurnView
            // A turn is its place: what is asked anew there takes the place of the one before.
            key={at}
            number={at + 1}
            turn={turn}
            targets={conversation.targets}
            sides={null}
            onAsk={busy || blocked !== null ? null : (text) => ask(text, at)}
          />
        ))}
        {asked ? (
          <ChatTurnView number={turns.length + 1} turn={turnOf(asked)} targets={conversation.targets} sides={asked.sides} onAsk={null} />
        ) : null}
      </div>
      <p className="sr-only" role="status">
        {busy ? 'Answering…' : empty ? '' : 'The answers are ready.'}
      </p>
      {conversation.notSaved ? <ErrorPanel message={`The conversation is not saved: ${conversation.notSaved}`} /> : null}
      {others && !busy ? (
        <Notice tone="info" title="Other models are chosen now.">
          <span className="flex flex-wrap items-center gap-2">
            This conversation goes on with {conversation.targets.map(targetLabel).join(' and ')}.
            <Button size="small" onClick={restart}>
              New conversation with {all.targets.map(targetLabel).join(' and ')}
            </Button>
          </span>
        </Notice>
      ) : null}
      {trained && empty ? (
        <TrainedPrompts trained={trained} system={prompt.form.system} onPrompt={(text) => ask(text, 0)} onSystem={(system) => prompt.change({ system })} />
      ) : null}
      <div ref={end} className="flex-1" />
      <ChatComposer
        ref={box}
        prompt={prompt}
        trained={trained}
        busy={busy}
        blocked={blocked}
        onSend={send}
        onStop={chatter.stop}
        more={live ? <Switch label="Ask during training" checked={duringRun} onChange={setDuringRun} /> : null}
      />
    </div>
  )
}

function Nothing({ names }: { readonly names: readonly string[] }) {
  return (
    <p className="py-10 text-center text-soft">
      {names.length > 1 ? `${names.join(' and ')} answer side by side, each with its own history.` : `A conversation with ${names[0] ?? 'a model'}.`}
    </p>
  )
}
