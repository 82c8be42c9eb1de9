/** Two answers without names, the three votes, and then who it was. */
import { Check } from 'lucide-react'
import { cx } from '@/lib/cx'
import { Badge } from '@/ui/Badge'
import { Button } from '@/ui/controls/Button'
import { Notice } from '@/ui/feedback/Notice'
import { Spinner } from '@/ui/feedback/Spinner'
import { AnswerText, Thoughts } from '@/features/compare/ask/AnswerPanel'
import { answerText, type Asked, type Side } from '@/features/compare/ask/asked'
import { targetTitle } from '@/features/compare/targets/targets'
import { winnerOf, type Choice } from './vote'

type Props = {
  readonly asked: Asked | null
  /** Null until voted: the names stay hidden. */
  readonly choice: Choice | null
  readonly canVote: boolean
  readonly onVote: (choice: Choice) => void
}

export function BlindAnswers({ asked, choice, canVote, onVote }: Props) {
  const sides = asked?.sides ?? []
  return (
    <div className="flex flex-col gap-3">
      <div className="grid grid-cols-1 gap-3 md:grid-cols-2">
        {([1, 2] as const).map((place) => (
          <BlindAnswer key={place} place={place} side={sides[place - 1] ?? null} choice={choice} />
        ))}
      </div>
      <div className="flex min-h-8 flex-wrap items-center justify-center gap-2">
        {choice === null ? (
          <>
            {VOTES.map(({ choice: each, words }) => (
              <Button key={each} disabled={!canVote} onClick={() => onVote(each)}>
                {words}
                <kbd className="rounded-small border border-edge px-1 font-sans text-tiny text-soft">{each}</kbd>
              </Button>
            ))}
          </>
        ) : (
          <p role="status" className="font-medium">
            {revealWords(sides, choice)}
          </p>
        )}
      </div>
    </div>
  )
}

const VOTES: readonly { readonly choice: Choice; readonly words: string }[] = [
  { choice: 1, words: 'A is better' },
  { choice: 0, words: 'Tie' },
  { choice: 2, words: 'B is better' },
]

type AnswerProps = { readonly place: 1 | 2; readonly side: Side | null; readonly choice: Choice | null }

function BlindAnswer({ place, side, choice }: AnswerProps) {
  const name = place === 1 ? 'Answer A' : 'Answer B'
  const open = side !== null && (side.state === 'waiting' || side.state === 'preparing' || side.state === 'answering')
  return (
    <section
      aria-label={name}
      className={cx('flex min-w-0 flex-col gap-2 rounded-card border bg-card px-4 py-3', choice === place ? 'border-accent' : 'border-line')}
    >
      <h2 className="flex min-h-5 flex-wrap items-center gap-2 font-semibold">
        {name}
        {choice !== null && side ? <Badge tone="accent">{side.target.adapter === null ? 'base' : targetTitle(side.target)}</Badge> : null}
        {choice === place ? <Check className="size-4 text-accent" aria-label="Preferred" /> : null}
      </h2>
      {side === null ? <p className="min-h-24 text-faint">Answers appear here. Names are shown after the vote.</p> : null}
      <Thoughts of={name.toLowerCase()} text={side?.answer?.thoughts} />
      {side !== null && side.text !== '' ? <AnswerText label={name} text={answerText(side)} busy={side.state === 'answering'} /> : null}
      {/* Which of the two is being loaded would tell them apart. */}
      {open && side.text === '' ? (
        <p className="flex min-h-24 items-start gap-2 text-soft">
          <span className="flex h-5 items-center">
            <Spinner />
          </span>
          Answering…
        </p>
      ) : null}
      {side !== null && !open && side.text === '' && !side.problem ? (
        <p className="min-h-24 text-faint">{side.state === 'done' ? 'Empty answer.' : 'No answer.'}</p>
      ) : null}
      {side?.problem ? (
        <Notice tone="bad" title={side.problem.detail}>
          {side.problem.hint}
        </Notice>
      ) : null}
    </section>
  )
}

function revealWords(sides: readonly Side[], choice: Choice): string {
  const targets = sides.map((side) => side.target)
  switch (winnerOf(choice, targets)) {
    case 'tie':
      return 'You voted a tie.'
    case 'base':
      return 'You preferred the base.'
    case 'adapter':
      return `You preferred ${targets.find((target) => target.adapter !== null)?.adapter ?? 'the adapter'}.`
  }
}
