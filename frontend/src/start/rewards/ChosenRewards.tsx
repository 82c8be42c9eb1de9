/** The chosen functions: their parameters, their weights, and the way out. */
import { X } from 'lucide-react'
import type { RewardFunction } from '@/api/generated'
import { compact } from '@/lib/format'
import { Field } from '@/ui/controls/Field'
import { IconButton } from '@/ui/controls/IconButton'
import { NumberInput } from '@/ui/controls/NumberInput'
import { TextInput } from '@/ui/controls/TextInput'
import { insideParts, withPart, type ChosenReward } from './rewardNames'

type Props = {
  readonly chosen: readonly ChosenReward[]
  readonly functions: readonly RewardFunction[]
  readonly onChange: (chosen: readonly ChosenReward[]) => void
}

export function ChosenRewards({ chosen, functions, onChange }: Props) {
  const change = (at: number, part: Partial<ChosenReward>) =>
    onChange(chosen.map((each, index) => (index === at ? { ...each, ...part } : each)))
  return (
    <ul className="flex flex-col gap-2" aria-label="Chosen reward functions">
      {chosen.map((each, index) => (
        // The same function may stand here twice, with other parameters.
        <li key={`${index} ${each.name}`} className="rounded-field border border-line p-3">
          <div className="flex items-start justify-between gap-2">
            <div className="min-w-0">
              <p className="font-mono text-small font-medium break-all">{each.name}</p>
              <p className="mt-0.5 text-small text-soft">{docOf(functions, each.name)}</p>
            </div>
            <IconButton icon={X} label={`Remove ${each.name}`} onClick={() => onChange(chosen.filter((_, at) => at !== index))} />
          </div>
          <div className="mt-2.5 grid grid-cols-1 gap-3 @sm:grid-cols-2 @2xl:grid-cols-4">
            <Field label="Weight">
              {(control) => (
                <NumberInput
                  {...control}
                  value={each.weight}
                  placeholder="1"
                  step={0.1}
                  onText={(weight) => change(index, { weight })}
                />
              )}
            </Field>
            <Parameters chosen={each} functions={functions} onInside={(inside) => change(index, { inside })} />
          </div>
        </li>
      ))}
    </ul>
  )
}

type ParametersProps = {
  readonly chosen: ChosenReward
  readonly functions: readonly RewardFunction[]
  readonly onInside: (inside: string) => void
}

function Parameters({ chosen: { name, inside }, functions, onInside }: ParametersProps) {
  const parameters = functions.find((each) => each.name === name)?.parameters ?? []
  const parts = insideParts(inside, parameters.length)
  return parameters.map((parameter, at) => (
    <Field key={parameter.name} label={parameter.name} help={parameter.help}>
      {(control) => (
        <TextInput
          {...control}
          mono
          value={parts[at] ?? ''}
          placeholder={parameter.default ?? ''}
          onText={(text) => onInside(withPart(inside, parameters.length, at, text))}
        />
      )}
    </Field>
  ))
}

function docOf(functions: readonly RewardFunction[], name: string): string {
  const found = functions.find((each) => each.name === name)
  if (!found) return 'Unknown function.'
  return `${firstSentence(found.doc)} ${rangeOf(found)}`.trim()
}

export function rangeOf({ minimum, maximum }: RewardFunction): string {
  if (minimum === null || maximum === null) return ''
  return `From ${compact(minimum)} to ${compact(maximum)}.`
}

function firstSentence(doc: string): string {
  return /^.*?[.!?](?=\s|$)/s.exec(doc.trim())?.[0] ?? doc
}
