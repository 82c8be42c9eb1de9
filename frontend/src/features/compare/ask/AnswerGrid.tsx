/** Every target side by side, with how they were asked and why so. */
import { Plus } from 'lucide-react'
import { readProblem } from '@/api/errors'
import { useRateComparisonMutation } from '@/api/generated'
import { Button } from '@/ui/controls/Button'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { AnswerPanel } from './AnswerPanel'
import type { Asker } from './asker'
import type { Asked } from './asked'
import { Stars } from '@/features/compare/history/Stars'
import { sameTarget, targetKey, targetTitle, type Target } from '@/features/compare/targets/targets'

type Props = {
  readonly asker: Asker
  readonly asked: Asked | null
  readonly targets: readonly Target[]
  readonly onRemove: (target: Target) => void
  readonly onAdd: () => void
}

export function AnswerGrid({ asker, asked, targets, onRemove, onAdd }: Props) {
  const [send, { error }] = useRateComparisonMutation()
  const rate = async (answer: number, rating: number | null) => {
    const id = asked?.kept?.id
    if (id === undefined) return false
    const { data } = await send({ comparisonId: id, rating: { answer, rating } })
    if (data) asker.rated(data)
    return data !== undefined
  }
  const busy = asked?.state === 'asking'
  const problem = readProblem(error)
  return (
    <div className="flex flex-col gap-3">
      <div className="grid grid-cols-1 gap-3 md:grid-cols-[repeat(auto-fit,minmax(20rem,1fr))]">
        {targets.map((target) => {
          const at = asked?.sides.findIndex((side) => sameTarget(side.target, target)) ?? -1
          const side = asked?.sides[at] ?? null
          return (
            <AnswerPanel
              key={targetKey(target)}
              target={target}
              side={side}
              question={asked?.question}
              onRemove={busy ? undefined : () => onRemove(target)}
              stars={
                side?.text ? (
                  <Stars
                    label={`Stars for ${targetTitle(target)}`}
                    value={asked?.kept?.answers[at]?.rating ?? null}
                    disabled={asked?.kept == null}
                    onRate={(value) => rate(at, value)}
                  />
                ) : null
              }
            />
          )
        })}
        {targets.length === 1 && !busy ? (
          <Button onClick={onAdd} kind="ghost" className="min-h-24 border-dashed border-edge">
            <Plus className="size-4" aria-hidden="true" />
            Add a model to compare
          </Button>
        ) : null}
      </div>
      <p className="sr-only" role="status">
        {asked ? SPOKEN[asked.state] : ''}
      </p>
      {asked?.plan && targets.length > 1 ? <PlanLine mode={asked.plan.mode} reason={asked.plan.reason} /> : null}
      {problem ? <ErrorPanel message={problem.detail} hint={problem.hint} /> : null}
      {asked?.notKept ? <ErrorPanel message={`Not saved to the history: ${asked.notKept}`} /> : null}
    </div>
  )
}

const SPOKEN: Readonly<Record<Asked['state'], string>> = {
  asking: 'Answering…',
  done: 'The answers are ready.',
  stopped: 'Stopped.',
  failed: 'No answer.',
}

function PlanLine({ mode, reason }: { readonly mode: 'batch' | 'in_turn'; readonly reason: string }) {
  return (
    <p className="text-small text-faint">
      <span className="font-medium text-soft">{mode === 'batch' ? 'Answered in one batch.' : 'Answered one after the other.'}</span>{' '}
      {reason}
    </p>
  )
}
