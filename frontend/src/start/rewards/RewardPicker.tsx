/** Every function there is, with its documentation. */
import { useState } from 'react'
import type { RewardFunction } from '@/api/generated'
import { Badge } from '@/ui/Badge'
import { Button } from '@/ui/controls/Button'
import { Dialog } from '@/ui/Dialog'
import { TextInput } from '@/ui/controls/TextInput'
import { rangeOf } from './ChosenRewards'
import type { ChosenReward } from './rewardNames'

type Props = {
  readonly functions: readonly RewardFunction[]
  readonly chosen: readonly ChosenReward[]
  readonly onChange: (chosen: readonly ChosenReward[]) => void
  readonly onClose: () => void
}

const SOURCES = [
  ['app', 'Built-in'],
  ['engine', 'Built into the engine'],
  ['file', 'Own'],
] as const

export function RewardPicker({ functions, chosen, onChange, onClose }: Props) {
  const [text, setText] = useState('')
  const wanted = text.trim().toLowerCase()
  const shown = functions.filter(({ name, doc }) => `${name} ${doc}`.toLowerCase().includes(wanted))
  const has = (name: string) => chosen.some((each) => each.name === name)
  const toggle = (known: RewardFunction) => {
    const { name } = known
    if (has(name)) return onChange(chosen.filter((each) => each.name !== name))
    onChange([...chosen, { name, inside: firstInside(known), weight: '' }])
  }
  return (
    <Dialog
      open
      title="Reward functions"
      size="wide"
      sheet
      onClose={onClose}
      footer={
        <Button kind="primary" onClick={onClose}>
          Done
        </Button>
      }
    >
      <TextInput type="search" value={text} onText={setText} placeholder="Search" aria-label="Search the functions" className="mb-4" />
      {SOURCES.map(([source, title]) => {
        const own = shown.filter((each) => each.source === source)
        if (own.length === 0) return null
        return (
          <section key={source} className="mb-5 last:mb-0">
            <h3 className="mb-2 text-small font-semibold text-soft">{title}</h3>
            <ul className="flex flex-col gap-2">
              {own.map((each) => (
                <li key={`${each.file ?? ''} ${each.name}`}>
                  <FunctionRow known={each} chosen={has(each.name)} onToggle={() => toggle(each)} />
                </li>
              ))}
            </ul>
          </section>
        )
      })}
      {shown.length === 0 ? <p className="py-6 text-center text-soft">No results</p> : null}
    </Dialog>
  )
}

/** The example's parameters, where the function has nothing to go by without any. */
function firstInside({ needs, parameters, example }: RewardFunction): string {
  const canDoWithout = needs.includes('answer') || parameters.every((parameter) => parameter.default !== null)
  return canDoWithout ? '' : (/\((.*)\)$/s.exec(example)?.[1] ?? '')
}

type RowProps = { readonly known: RewardFunction; readonly chosen: boolean; readonly onToggle: () => void }

function FunctionRow({ known, chosen, onToggle }: RowProps) {
  const facts = [rangeOf(known), known.parameters.length > 0 ? `For example ${known.example}` : '', known.file ?? '']
  return (
    <label className="flex gap-3 rounded-field border border-line p-3 has-checked:border-accent has-checked:bg-accent-wash">
      <input type="checkbox" checked={chosen} onChange={onToggle} aria-label={known.name} className="mt-0.5 size-4 shrink-0 accent-accent" />
      <span className="min-w-0 flex-1">
        <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <span className="font-mono text-small font-medium break-all">{known.name}</span>
          {known.needs.map((need) => (
            <Badge key={need}>needs {need === 'answer' ? 'an answer in the row' : 'a type in the row'}</Badge>
          ))}
        </span>
        <span className="mt-0.5 block text-small whitespace-pre-line text-soft">{known.doc}</span>
        <span className="mt-0.5 block text-tiny break-all text-faint">{facts.filter(Boolean).join(' · ')}</span>
      </span>
    </label>
  )
}
