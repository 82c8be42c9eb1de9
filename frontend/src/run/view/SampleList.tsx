/** What the model wrote while it was trained, and what each reward function gave for it. */
import { useState } from 'react'
import { compact, count, UNKNOWN } from '@/lib/format'
import { Badge } from '@/ui/Badge'
import { Card } from '@/ui/Card'
import { Select } from '@/ui/controls/Select'
import { Passage } from './Passage'

export type Sample = {
  readonly step: number
  readonly prompt: string
  readonly text: string
  readonly answer?: string | null
  readonly rewards?: { readonly [name: string]: number | null } | null
  readonly total?: number | null
  readonly split?: 'train' | 'valid' | 'prompt' | null
}

type Props = {
  /** Oldest first, as they came. */
  readonly samples: readonly Sample[]
  readonly waiting: string
}

const NEWEST = 'newest'

export function SampleList({ samples, waiting }: Props) {
  const steps = [...new Set(samples.map((sample) => sample.step))].toReversed()
  const [chosen, choose] = useState<number | null>(null)
  // The newest, unless a step was picked that is still held.
  const step = chosen !== null && steps.includes(chosen) ? chosen : (steps[0] ?? null)
  const shown = samples.filter((sample) => sample.step === step)
  return (
    <Card
      title="Sample completions"
      subtitle="What the model wrote for a prompt, and what each reward function gave for it."
      actions={
        steps.length > 1 ? (
          <Select
            aria-label="Samples of iteration"
            value={chosen === null || !steps.includes(chosen) ? NEWEST : String(chosen)}
            options={[
              { value: NEWEST, label: `Newest · iteration ${count(steps[0])}` },
              ...steps.slice(1).map((each) => ({ value: String(each), label: `Iteration ${count(each)}` })),
            ]}
            onChoose={(value) => choose(value === NEWEST ? null : Number(value))}
          />
        ) : null
      }
    >
      {shown.length === 0 ? (
        <p className="py-6 text-center text-small text-soft">{waiting}</p>
      ) : (
        <ul className="grid gap-3 lg:grid-cols-2">
          {shown.map((sample, index) => (
            // Two completions may be the same, so only their place tells them apart.
            <SampleItem key={`${sample.step} ${index}`} sample={sample} />
          ))}
        </ul>
      )}
    </Card>
  )
}

function SampleItem({ sample }: { readonly sample: Sample }) {
  const scores = Object.entries(sample.rewards ?? {})
  return (
    <li className="flex min-w-0 flex-col gap-2 rounded-field border border-line p-3">
      <div className="flex flex-wrap items-center justify-between gap-2 text-small text-soft">
        <span className="flex items-center gap-2">
          Iteration {count(sample.step)}
          {sample.split ? <Badge>{sample.split === 'valid' ? 'held out' : 'training row'}</Badge> : null}
        </span>
        {sample.total === undefined || sample.total === null ? null : (
          <span>
            Reward <span className="font-semibold text-ink">{compact(sample.total, 3)}</span>
          </span>
        )}
      </div>
      <Passage label="Prompt" text={sample.prompt} quiet />
      <Passage label="Completion" text={sample.text} />
      {sample.answer ? <Passage label="Reference answer" text={sample.answer} quiet /> : null}
      {scores.length > 0 ? (
        <dl className="flex flex-wrap gap-x-4 gap-y-0.5 border-t border-line pt-2 text-small">
          {scores.map(([name, score]) => (
            <div key={name} className="flex min-w-0 items-baseline gap-1.5">
              <dt className="min-w-0 font-mono text-tiny break-all text-soft">{name}</dt>
              <dd className="font-medium">{score === null ? UNKNOWN : compact(score, 3)}</dd>
            </div>
          ))}
        </dl>
      ) : null}
    </li>
  )
}
