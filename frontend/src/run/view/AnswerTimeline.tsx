/** The run's own prompts, validation by validation: what the model answers now, beside what its base answered. */
import { useState } from 'react'
import { count } from '@/lib/format'
import { Card } from '@/ui/Card'
import { Passage } from './Passage'
import { answerSteps, type PromptAnswers } from './promptAnswers'

type Props = {
  readonly answers: readonly PromptAnswers[]
  readonly waiting: string
}

export function AnswerTimeline({ answers, waiting }: Props) {
  const steps = answerSteps(answers)
  const [chosen, choose] = useState<number | null>(null)
  // The newest, unless a step was picked that is still held.
  const step = chosen !== null && steps.includes(chosen) ? chosen : (steps.at(-1) ?? 0)
  const place = steps.indexOf(step)
  return (
    <Card title="Sample prompts" subtitle="The same questions at each validation, answered with the likeliest tokens." bodyClassName="@container">
      {steps.length === 0 ? (
        <p className="py-6 text-center text-small text-soft">{waiting}</p>
      ) : (
        <>
          <label className="mb-3 flex flex-wrap items-center gap-x-3 gap-y-1 text-small text-soft">
            <span className="w-36 shrink-0 font-medium text-ink">{wordOf(step)}</span>
            <input
              type="range"
              className="min-w-40 flex-1 accent-accent"
              aria-label="Answers of iteration"
              aria-valuetext={wordOf(step)}
              min={0}
              max={steps.length - 1}
              step={1}
              value={place}
              disabled={steps.length === 1}
              onChange={(event) => {
                const next = steps[Number(event.target.value)]
                // At the end of the slider it follows the run.
                choose(next === undefined || next === steps.at(-1) ? null : next)
              }}
            />
            <span>
              {count(place + 1)} of {count(steps.length)}
            </span>
          </label>
          <ul className="flex flex-col gap-3">
            {answers.map(({ prompt, byStep }) => (
              <li key={prompt} className="grid grid-cols-1 gap-x-4 gap-y-2 rounded-field border border-line p-3 @xl:grid-cols-2">
                <div className="@xl:col-span-2">
                  <Passage label="Prompt" text={prompt} quiet />
                </div>
                <Passage label="Base model" text={byStep.get(0) ?? null} quiet />
                <Passage label={wordOf(step)} text={byStep.get(step) ?? null} />
              </li>
            ))}
          </ul>
        </>
      )}
    </Card>
  )
}

function wordOf(step: number): string {
  return step === 0 ? 'Before training' : `After iteration ${count(step)}`
}
