/** Base against adapters: ask them the same, measure them on held-out rows, or vote blind. */
import { Columns2, Users } from 'lucide-react'
import { useState } from 'react'
import { useSelector } from 'react-redux'
import { useSearchParams } from 'react-router'
import { adapterName } from '@/run/reducer/runConfig'
import { selectIsLive, selectRun } from '@/run/reducer/runSlice'
import { ActionLink } from '@/ui/controls/ActionLink'
import { Button } from '@/ui/controls/Button'
import { EmptyState } from '@/ui/feedback/EmptyState'
import { RetryPanel } from '@/ui/feedback/RetryPanel'
import { Notice } from '@/ui/feedback/Notice'
import { PageHeader } from '@/ui/PageHeader'
import { Segmented } from '@/ui/controls/Segmented'
import { Skeleton } from '@/ui/feedback/Skeleton'
import { AskView } from '@/features/compare/ask/AskView'
import { asker, blindAsker } from '@/features/compare/ask/asker'
import { chatter } from '@/features/compare/chat/chatter'
import { ChatView } from '@/features/compare/chat/ChatView'
import { EvaluateView } from '@/features/compare/evaluate/EvaluateView'
import { isUsable } from '@/features/compare/targets/targets'
import { TargetDialog } from '@/features/compare/targets/TargetDialog'
import { usePrompt } from '@/features/compare/prompt/usePrompt'
import { useTargets, type Targets } from '@/features/compare/targets/useTargets'
import { VoteView } from '@/features/compare/vote/VoteView'

type View = 'ask' | 'chat' | 'evaluate' | 'vote'
const VIEWS: readonly { readonly value: View; readonly label: string }[] = [
  { value: 'ask', label: 'Ask' },
  { value: 'chat', label: 'Chat' },
  { value: 'evaluate', label: 'Evaluate' },
  { value: 'vote', label: 'Blind vote' },
]

export function ComparePage() {
  const all = useTargets()
  const [view, setView] = useView()
  const [choosing, setChoosing] = useState(false)
  const ready = all.available !== undefined
  return (
    <>
      <PageHeader title="Compare" subtitle={basesOf(all)}>
        <Segmented label="View" value={view} choices={VIEWS} onChoose={setView} />
        <Button disabled={!ready} onClick={() => setChoosing(true)}>
          <Users className="size-3.5" aria-hidden="true" />
          Choose models…
        </Button>
      </PageHeader>
      <div className="flex flex-1 flex-col gap-3">
        {all.problem ? (
          <RetryPanel problem={all.problem} retrying={all.retrying} onRetry={all.retry} />
        ) : null}
        {all.missing.length > 0 ? (
          <Notice tone="warn" title={`Adapter ${all.missing.join(', ')} is no longer available.`}>
            It was deleted or moved, or its base model is missing. Choose another one.
          </Notice>
        ) : null}
        {!ready && !all.problem ? <Waiting /> : null}
        {ready ? <Body view={view} all={all} onChooseTargets={() => setChoosing(true)} /> : null}
      </div>
      <TargetDialog open={choosing} all={all} onClose={() => setChoosing(false)} />
    </>
  )
}

type BodyProps = { readonly view: View; readonly all: Targets; readonly onChooseTargets: () => void }

function Body({ view, all, onChooseTargets }: BodyProps) {
  const prompt = usePrompt()
  const [message, setMessage] = useState('')
  // A message that is being written is not the prompt that was asked on its own.
  const draft = { ...prompt, text: message, setText: setMessage }
  if (all.targets.length === 0 && all.missing.length === 0) return <NobodyYet all={all} onChoose={onChooseTargets} />
  switch (view) {
    case 'ask':
      return <AskView all={all} asker={asker} prompt={prompt} onChooseTargets={onChooseTargets} />
    case 'chat':
      return <ChatView all={all} chatter={chatter} prompt={draft} />
    case 'evaluate':
      return <EvaluateView all={all} />
    case 'vote':
      return <VoteView all={all} asker={blindAsker} prompt={prompt} />
  }
}

function useView(): [View, (view: View) => void] {
  const [params, setParams] = useSearchParams()
  const named = params.get('view')
  const view = VIEWS.find((each) => each.value === named)?.value ?? 'ask'
  const set = (next: View) => {
    setParams(
      (before) => {
        const after = new URLSearchParams(before)
        if (next === 'ask') after.delete('view')
        else after.set('view', next)
        return after
      },
      { replace: true },
    )
  }
  return [view, set]
}

function basesOf({ targets, available }: Targets): string {
  const bases = [...new Set(targets.map((target) => target.model))]
  if (bases.length === 0) return available ? 'Base vs adapter' : 'Looking for models and adapters…'
  return bases.join(', ')
}

function NobodyYet({ all, onChoose }: { readonly all: Targets; readonly onChoose: () => void }) {
  const live = useSelector(selectIsLive)
  const running = adapterName(useSelector(selectRun).config)
  const trained = all.available?.models.some((model) => model.adapters.some(isUsable)) ?? false
  if (live && !trained) {
    return (
      <EmptyState
        icon={Columns2}
        title="Training in progress"
        action={
          <ActionLink to="/training" primary>
            Show the run
          </ActionLink>
        }
      >
        {running ?? 'The adapter'} can be compared with its base when training ends.
      </EmptyState>
    )
  }
  return (
    <EmptyState
      icon={Columns2}
      title={trained ? 'Choose models' : 'No adapters yet'}
      action={
        <>
          {trained ? null : (
            <ActionLink to="/setup" primary>
              Train an adapter in Setup
            </ActionLink>
          )}
          <Button kind={trained ? 'primary' : 'secondary'} onClick={onChoose}>
            {trained ? 'Choose models…' : 'Ask a base model'}
          </Button>
        </>
      }
    >
      Compare answers of a base and its adapters side by side, evaluate both on held-out rows, or vote blind.
    </EmptyState>
  )
}

function Waiting() {
  return (
    <div aria-busy="true" className="flex flex-col gap-3">
      <div className="grid grid-cols-1 gap-3 md:grid-cols-2">
        <Skeleton className="h-44 rounded-card" />
        <Skeleton className="h-44 rounded-card max-md:hidden" />
      </div>
      <Skeleton className="h-44 rounded-card" />
    </div>
  )
}
