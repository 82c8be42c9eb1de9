/** How much of each adapter: sliders that sum to 1. SLERP has one, from the first to the second. */
import { useId, useState } from 'react'
import { parseNumber } from '@/lib/numbers'
import { FieldNote } from '@/ui/controls/Field'
import { LinkButton } from '@/ui/controls/LinkButton'
import { NumberInput } from '@/ui/controls/NumberInput'
import { areEqual, rebalanced, weightText, WHOLE } from './weights'

type Props = {
  readonly names: readonly string[]
  readonly weights: readonly number[]
  readonly path: boolean
  readonly onWeights: (weights: readonly number[] | null) => void
}

export function WeightSliders({ names, weights, path, onWeights }: Props) {
  const set = (at: number) => (value: number) => onWeights(rebalanced(weights, at, value))
  return (
    <fieldset>
      <legend className="sr-only">Weights</legend>
      <div className="mb-2 flex items-baseline justify-between gap-2">
        <span className="text-small font-medium" aria-hidden="true">
          {path ? 'Place on the path' : 'Weights'}
        </span>
        <LinkButton className="text-small" disabled={areEqual(weights)} onClick={() => onWeights(null)}>
          {path ? 'Halfway' : 'Make equal'}
        </LinkButton>
      </div>
      {path ? (
        <PathSlider names={names} value={weights[1] ?? 0} onValue={set(1)} />
      ) : (
        <div className="flex flex-col gap-2">
          {names.map((name, at) => (
            <WeightRow key={name} name={name} value={weights[at] ?? 0} onValue={set(at)} />
          ))}
          <p className="text-tiny text-faint">Weights sum to 1: moving one scales the others.</p>
        </div>
      )}
    </fieldset>
  )
}

type RowProps = { readonly name: string; readonly value: number; readonly onValue: (value: number) => void }

function WeightRow({ name, value, onValue }: RowProps) {
  return (
    <div className="grid grid-cols-[minmax(0,1fr)_5.5rem] items-center gap-x-3 gap-y-1 sm:grid-cols-[minmax(0,12rem)_minmax(0,1fr)_5.5rem]">
      <span className="truncate text-body max-sm:col-span-2" title={name}>
        {name}
      </span>
      <Slider label={`Weight of ${name}`} value={value} onValue={onValue} />
      <WeightNumber label={`Weight of ${name} as a number`} value={value} onValue={onValue} />
    </div>
  )
}

type PathProps = { readonly names: readonly string[]; readonly value: number; readonly onValue: (value: number) => void }

function PathSlider({ names, value, onValue }: PathProps) {
  const [first = '', second = ''] = names
  return (
    <div className="grid grid-cols-[minmax(0,1fr)_5.5rem] items-center gap-x-3 gap-y-1">
      <Slider label={`From ${first} to ${second}`} value={value} onValue={onValue} />
      <WeightNumber label={`Place between ${first} and ${second} as a number`} value={value} onValue={onValue} />
      <p className="flex justify-between gap-3 text-tiny text-faint">
        <span className="min-w-0 truncate">0 = {first}</span>
        <span className="min-w-0 truncate">1 = {second}</span>
      </p>
    </div>
  )
}

type ControlProps = { readonly label: string; readonly value: number; readonly onValue: (value: number) => void }

function Slider({ label, value, onValue }: ControlProps) {
  return (
    <input
      type="range"
      aria-label={label}
      min={0}
      max={WHOLE}
      step={WHOLE / 100}
      value={value}
      aria-valuetext={weightText(value)}
      onChange={(event) => onValue(Number(event.target.value))}
      className="h-5 w-full min-w-0 accent-accent"
    />
  )
}

/** What is half-typed stays as it is; the weight follows as soon as it can be read. */
function WeightNumber({ label, value, onValue }: ControlProps) {
  const id = useId()
  const [draft, setDraft] = useState<string | null>(null)
  const take = (text: string) => {
    setDraft(text)
    const read = readWeight(text)
    if (read !== null) onValue(read)
  }
  const wrong = draft !== null && readWeight(draft) === null
  return (
    <div>
      <NumberInput
        aria-label={label}
        aria-invalid={wrong || undefined}
        aria-describedby={wrong ? id : undefined}
        value={draft ?? weightText(value)}
        onText={take}
        onBlur={() => setDraft(null)}
        min={0}
        max={1}
        step={0.01}
      />
      {wrong ? <FieldNote id={id} error="From 0 to 1." /> : null}
    </div>
  )
}

function readWeight(text: string): number | null {
  const value = parseNumber(text)
  return value === null || value < 0 || value > 1 ? null : value * WHOLE
}
