/** One prompt to every target, side by side, and what was asked before. */
import { ListOrdered } from 'lucide-react'
import { useRef, useState } from 'react'
import { useSelector } from 'react-redux'
import { selectIsLive, type RunSliceState } from '@/run/reducer/runSlice'
import { Button } from '@/ui/controls/Button'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { Meter } from '@/ui/feedback/Meter'
import { Switch } from '@/ui/controls/Switch'
import { AnswerGrid } from './AnswerGrid'
import type { Asker, Series } from './asker'
import { HistoryCard } from '@/features/compare/history/HistoryCard'
import { PromptCard } from '@/features/compare/prompt/PromptCard'
import { PromptSetDialog, type SetRun } from '@/features/compare/prompt/PromptSetDialog'
import { blockedBy, questionOf } from '@/features/compare/prompt/question'
import { sameTarget } from '@/features/compare/targets/targets'
import { useAsking, useKeep } from './useAsker'
import type { Prompt } from '@/features/compare/prompt/usePrompt'
import { useTrained } from '@/features/compare/prompt/useTrained'
import type { Targets } from '@/features/compare/targets/useTargets'
import { WorkerLine } from './WorkerLine'

type Props = {
  readonly all: Targets
  readonly asker: Asker
  readonly prompt: Prompt
  readonly onChooseTargets: () => void
}

export function AskView({ all, asker, prompt, onChooseTargets }: Props) {
  const { asked, series } = useAsking(asker)
  const keep = useKeep()
  const live = useSelector((state: { readonly run: RunSliceState }) => selectIsLive(state))
  const [duringRun, setDuringRun] = useState(false)
  const [sets, setSets] = useState(false)
  const card = useRef<HTMLDivElement>(null)
  const { targets } = all
  const trained = useTrained(targets, prompt)
  const { text, form } = prompt
  const busy = asked?.state === 'asking' || series !== null
  const blocked = blockedBy({ form, targets, duringRun, live })
  const question = questionOf({ prompt: text, form, targets, duringRun: duringRun && live })
  const ask = () => {
    if (question && text.trim() !== '') void asker.ask(question, keep)
  }
  /** A prompt of the run is asked with one press; where nothing can be asked now, it waits in the field. */
  const askPrompt = (chosen: string) => {
    prompt.setText(chosen)
    const about = questionOf({ prompt: chosen, form, targets, duringRun: duringRun && live })
    if (about && blocked === null && !busy) void asker.ask(about, keep)
  }
  const run = ({ name, prompts }: SetRun) => {
    setSets(false)
    if (question) void asker.askAll(name, prompts, question, keep)
  }
  const useAgain = (again: string) => {
    prompt.setText(again)
    // The focus brings it into view.
    card.current?.querySelector('textarea')?.focus()
  }
  return (
    <div className="flex flex-col gap-3">
      <AnswerGrid
        asker={asker}
        asked={asked}
        targets={targets}
        onRemove={(target) => all.choose(targets.filter((each) => !sameTarget(each, target)))}
        onAdd={onChooseTargets}
      />
      {asked?.problem && asked.state !== 'asking' ? <ErrorPanel message={asked.problem.detail} hint={asked.problem.hint} /> : null}
      {series ? <SeriesLine series={series} prompt={asked?.question.prompt ?? ''} /> : null}
      <div ref={card}>
        <PromptCard
          trained={trained}
          prompt={prompt}
          busy={busy}
          blocked={blocked ?? (text.trim() === '' ? 'Enter a prompt first.' : null)}
          onAsk={ask}
          onPrompt={askPrompt}
          onStop={asker.stop}
          more={
            <Button kind="ghost" size="small" className="sm:h-8" onClick={() => setSets(true)}>
              <ListOrdered className="size-3.5" aria-hidden="true" />
              Prompt set…
            </Button>
          }
        >
          {live ? (
            <Switch
              label="Ask during training"
              checked={duringRun}
              onChange={setDuringRun}
              help="Shares the memory with the run; both may slow down"
            />
          ) : null}
          <WorkerLine settled={!busy} />
        </PromptCard>
      </div>
      <HistoryCard onUse={useAgain} />
      <PromptSetDialog
        open={sets}
        adapter={targets.find((each) => each.adapter !== null)?.adapter ?? null}
        prompt={text}
        blocked={busy ? 'Wait for the answer.' : blocked}
        runWords="Ask all"
        onClose={() => setSets(false)}
        onRun={run}
      />
    </div>
  )
}

function SeriesLine({ series, prompt }: { readonly series: Series; readonly prompt: string }) {
  const words = `Prompt ${series.at} of ${series.total}`
  return (
    <div className="rounded-card border border-line bg-card px-4 py-3">
      <p className="mb-2 flex min-w-0 gap-2 text-small">
        <span className="shrink-0 font-medium">
          {series.name}: {words.toLowerCase()}
        </span>
        <span className="min-w-0 truncate text-soft">{prompt.slice(0, 160)}</span>
      </p>
      <Meter
        label={`Progress of ${series.name}`}
        text={words}
        max={series.total}
        parts={[{ label: 'asked', value: series.at, className: 'bg-accent' }]}
      />
    </div>
  )
}
