/** Base and adapter answer without their names, on random sides; the vote comes before the reveal. */
import { ListOrdered } from 'lucide-react'
import { useRef, useState } from 'react'
import { useSelector } from 'react-redux'
import { readProblem } from '@/api/errors'
import { useArenaQuery, useVoteMutation } from '@/api/generated'
import { plural } from '@/lib/format'
import { selectIsLive, type RunSliceState } from '@/run/reducer/runSlice'
import { Button } from '@/ui/controls/Button'
import { Card } from '@/ui/Card'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { Field } from '@/ui/controls/Field'
import { LinkButton } from '@/ui/controls/LinkButton'
import { Select } from '@/ui/controls/Select'
import type { Asker } from '@/features/compare/ask/asker'
import { BlindAnswers } from './BlindAnswers'
import { PromptCard } from '@/features/compare/prompt/PromptCard'
import { PromptSetDialog, type SetRun } from '@/features/compare/prompt/PromptSetDialog'
import { blockedBy, questionOf } from '@/features/compare/prompt/question'
import { StandingBar } from './StandingBar'
import { bareBase, type Target } from '@/features/compare/targets/targets'
import { useAsking } from '@/features/compare/ask/useAsker'
import type { Prompt } from '@/features/compare/prompt/usePrompt'
import { useTrained } from '@/features/compare/prompt/useTrained'
import { useAdvance, useVoteKeys } from './useVoteKeys'
import { useVoteRound } from './useVoteRound'
import type { Targets } from '@/features/compare/targets/useTargets'
import { pairsOf, shuffled, winnerOf, type Choice } from './vote'

type Props = { readonly all: Targets; readonly asker: Asker; readonly prompt: Prompt }

export function VoteView({ all, asker, prompt }: Props) {
  const { asked } = useAsking(asker)
  const live = useSelector((state: { readonly run: RunSliceState }) => selectIsLive(state))
  const { data } = useArenaQuery(undefined, { refetchOnMountOrArgChange: true })
  const [send, sending] = useVoteMutation()
  const [picked, setPicked] = useState<string | null>(null)
  const [voted, setVoted] = useState<{ readonly asked: unknown; readonly choice: Choice } | null>(null)
  const [sets, setSets] = useState(false)
  const answers = useRef<HTMLDivElement>(null)

  const pairs = all.available ? pairsOf(all.available) : []
  const compared = all.targets.find((target) => target.adapter !== null)
  const pair = pairs.find((each) => each.key === picked) ?? pairs.find((each) => each.adapter === compared?.adapter) ?? pairs[0]
  const targets: readonly Target[] = pair
    ? [bareBase(pair.model), { model: pair.model, adapter: pair.adapter, checkpoint: compared?.adapter === pair.adapter ? compared.checkpoint : null }]
    : []
  const trained = useTrained(targets, prompt)
  const busy = asked?.state === 'asking'
  const blocked = blockedBy({ form: prompt.form, targets, duringRun: false, live })
  const choice = voted !== null && voted.asked === asked?.question ? voted.choice : null
  const [waiting, setWaiting] = useVoteRound(asker, asked, choice !== null)
  const canVote = asked?.state === 'done' && asked.sides.every((side) => side.state === 'done') && choice === null

  const askOne = (text: string) => {
    const question = questionOf({ prompt: text, form: prompt.form, targets: shuffled(targets), duringRun: false })
    if (!question || text.trim() === '' || asker.busy) return
    sending.reset()
    void asker.ask(question, null)
    // Off the prompt, so that the keys 1, 2 and 0 vote instead of typing.
    answers.current?.focus()
  }
  const vote = async (chosen: Choice) => {
    if (!asked || !canVote || sending.isLoading) return
    const { sides, question } = asked
    const adapter = question.targets.find((target) => target.adapter !== null)
    if (!adapter?.adapter) return
    const { error } = await send({
      vote: {
        model_name: adapter.model,
        adapter_name: adapter.adapter,
        checkpoint: adapter.checkpoint,
        winner: winnerOf(chosen, sides.map((side) => side.target)),
        base_first: sides[0]?.target.adapter === null,
        prompt: question.prompt.slice(0, 100_000),
      },
    })
    if (!error) setVoted({ asked: question, choice: chosen })
  }
  const next = () => {
    const [first, ...rest] = waiting
    if (first === undefined) return
    setWaiting(rest)
    prompt.setText(first)
    askOne(first)
  }
  const run = ({ prompts }: SetRun) => {
    setSets(false)
    const [first, ...rest] = prompts
    if (first === undefined) return
    setWaiting(rest)
    prompt.setText(first)
    askOne(first)
  }
  useVoteKeys(canVote, (chosen) => void vote(chosen))
  useAdvance(choice !== null && waiting.length > 0 && blocked === null, next)

  if (!pair) {
    return (
      <Card>
        <p className="py-8 text-center text-soft">No adapter to vote on yet. Train one first.</p>
      </Card>
    )
  }
  const problem = readProblem(sending.error)
  return (
    <div className="flex flex-col gap-3">
      <div ref={answers} tabIndex={-1} className="rounded-card outline-none">
        <BlindAnswers asked={asked} choice={choice} canVote={canVote} onVote={(chosen) => void vote(chosen)} />
      </div>
      {asked?.problem && asked.state === 'failed' ? <ErrorPanel message={asked.problem.detail} hint={asked.problem.hint} /> : null}
      {problem ? <ErrorPanel message={`The vote was not saved: ${problem.detail}`} hint={problem.hint} /> : null}
      {waiting.length > 0 && !busy && (choice !== null || !canVote) ? (
        <Button kind="primary" className="self-center" disabled={blocked !== null} onClick={next}>
          Next prompt ({waiting.length} left)
        </Button>
      ) : null}
      {waiting.length > 0 && (busy || canVote) ? (
        <p className="text-center text-small text-soft">
          {plural(waiting.length, 'more prompt')} after this one.{' '}
          <LinkButton className="text-small" onClick={() => setWaiting([])}>
            End here
          </LinkButton>
        </p>
      ) : null}
      <PromptCard
        trained={trained}
        prompt={prompt}
        busy={busy}
        blocked={blocked ?? (prompt.text.trim() === '' ? 'Enter a prompt first.' : null)}
        onAsk={() => {
          setWaiting([])
          askOne(prompt.text)
        }}
        onStop={asker.stop}
        more={
          <Button kind="ghost" size="small" className="sm:h-8" onClick={() => setSets(true)}>
            <ListOrdered className="size-3.5" aria-hidden="true" />
            Prompt set…
          </Button>
        }
      />
      <Card
        title="Votes so far"
        subtitle="Win rate of the adapter, ties left out, with its 95 % interval."
        bodyClassName="flex flex-col gap-4"
      >
        <Field label="Adapter to vote on" className="max-w-80">
          {(control) => (
            <Select
              {...control}
              disabled={busy}
              value={pair.key}
              options={pairs.map(({ key, label }) => ({ value: key, label }))}
              onChoose={setPicked}
            />
          )}
        </Field>
        {data?.standings.length === 0 ? <p className="text-soft">No votes yet. Ask a prompt, then press 1, 2 or 0.</p> : null}
        {data?.standings.map((standing) => (
          <StandingBar key={`${standing.model_name} ${standing.adapter_name}`} standing={standing} />
        ))}
      </Card>
      <PromptSetDialog
        open={sets}
        adapter={pair.adapter}
        prompt={prompt.text}
        blocked={busy ? 'Wait for the answers.' : blocked}
        runWords="Vote on all"
        onClose={() => setSets(false)}
        onRun={run}
      />
    </div>
  )
}
