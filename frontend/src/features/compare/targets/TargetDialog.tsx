/** Choose who is compared: any base, and any adapter of any session that can answer. */
import { useId, useMemo, useState } from 'react'
import { plural } from '@/lib/format'
import { ActionLink } from '@/ui/controls/ActionLink'
import { Badge } from '@/ui/Badge'
import { Button } from '@/ui/controls/Button'
import { Dialog } from '@/ui/Dialog'
import { Notice } from '@/ui/feedback/Notice'
import { Select } from '@/ui/controls/Select'
import { TextInput } from '@/ui/controls/TextInput'
import { ChoiceRow } from './ChoiceRow'
import { choicesOf, filtered, isReady, type Choice, type Choices } from './choices'
import { bareBase, isUsable, MOST_TARGETS, sameTarget, targetLabel, type Target } from './targets'
import type { Targets } from './useTargets'

type Props = { readonly open: boolean; readonly all: Targets; readonly onClose: () => void }

export function TargetDialog({ open, all, onClose }: Props) {
  return open && all.available ? <OpenTargetDialog all={all} available={all.available} onClose={onClose} /> : null
}

type OpenProps = {
  readonly all: Targets
  readonly available: NonNullable<Targets['available']>
  readonly onClose: () => void
}

function OpenTargetDialog({ all, available, onClose }: OpenProps) {
  const [chosen, setChosen] = useState(all.targets)
  const [text, setText] = useState('')
  const [now] = useState(() => Date.now())
  const choices = useMemo(() => choicesOf(available, all.sessions, now), [available, all.sessions, now])
  const shown = filtered(choices, text)
  const usable = available.models.filter(isUsable).map((model) => model.name)
  const full = chosen.length >= MOST_TARGETS
  const set = (target: Target, on: boolean) => {
    setChosen((before) => {
      const rest = before.filter((each) => !sameTarget(each, target))
      return on ? inOrder([...rest, target]) : rest
    })
  }
  const use = () => {
    all.choose(chosen)
    onClose()
  }
  return (
    <Dialog
      open
      title="Choose models"
      size="wide"
      sheet
      onClose={onClose}
      footer={
        <>
          <p className="mr-auto min-w-0 text-small text-soft" aria-live="polite">
            {chosenWords(chosen)}
          </p>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" disabled={chosen.length === 0} onClick={use}>
            Use {chosen.length > 1 ? `these ${chosen.length}` : 'this one'}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        <TextInput
          type="search"
          value={text}
          onText={setText}
          placeholder="Name, base, method"
          aria-label="Filter models and adapters"
          data-first-focus
        />
        {shown.groups.map(({ model, choices: own }) => (
          <section key={model.path} aria-label={model.name} className="flex flex-col">
            <ChoiceRow
              title={model.name}
              subtitle={model.problem ?? 'Base model without adapter'}
              chosen={chosen.some((each) => sameTarget(each, bareBase(model.name)))}
              disabled={model.problem != null || full}
              onChoose={(on) => set(bareBase(model.name), on)}
              badge={<Badge>base</Badge>}
            />
            {own.map((choice) => (
              <AdapterRow
                key={choice.name}
                choice={choice}
                model={model.name}
                chosen={chosen}
                full={full}
                onChoose={set}
              />
            ))}
          </section>
        ))}
        <Baseless choices={shown.baseless} models={usable} chosen={chosen} full={full} onChoose={set} />
        <Unusable title="Base model missing" choices={shown.foreign} />
        <Unusable title="Sessions without an adapter" choices={shown.gone} />
        {choices.groups.every((group) => group.choices.length === 0) ? <NothingTrained /> : null}
        {isEmpty(shown) ? <p className="py-6 text-center text-soft">No results for “{text}”.</p> : null}
        {full ? <Notice>{MOST_TARGETS} models can answer at once.</Notice> : null}
      </div>
    </Dialog>
  )
}

type AdapterProps = {
  readonly choice: Choice
  readonly model: string
  readonly chosen: readonly Target[]
  readonly full: boolean
  readonly onChoose: (target: Target, on: boolean) => void
}

/** Each checkpoint of an adapter is a target of its own; ticking takes the best one. */
function AdapterRow({ choice, model, chosen, full, onChoose }: AdapterProps) {
  const own = chosen.filter((each) => each.model === model && each.adapter === choice.name)
  const target = (checkpoint: Target['checkpoint']): Target => ({ model, adapter: choice.name, checkpoint })
  const usable = isReady(choice)
  return (
    <ChoiceRow
      nested
      title={choice.name}
      choice={choice}
      chosen={own.length > 0}
      disabled={!usable || full}
      onChoose={(on) => {
        if (on) onChoose(target(null), true)
        else for (const each of own) onChoose(each, false)
      }}
      checkpoints={usable ? choice.checkpoints : []}
      chosenCheckpoints={own.map((each) => each.checkpoint)}
      onCheckpoint={(checkpoint, on) => {
        onChoose(target(checkpoint), on)
        // "The best" as a whole gives way to a checkpoint that was named.
        if (on) onChoose(target(null), false)
      }}
    />
  )
}

type BaselessProps = Omit<AdapterProps, 'choice' | 'model'> & { readonly choices: readonly Choice[]; readonly models: readonly string[] }

function Baseless({ choices, models, chosen, full, onChoose }: BaselessProps) {
  const id = useId()
  const [base, setBase] = useState(models[0] ?? '')
  if (choices.length === 0) return null
  return (
    <section aria-label="Base not recorded" className="flex flex-col">
      <div className="flex flex-wrap items-center justify-between gap-2 border-b border-line pb-2">
        <h3 className="text-small font-semibold">Base not recorded</h3>
        {models.length > 0 ? (
          <div className="flex items-center gap-2 text-small text-soft">
            <label htmlFor={id}>Try on</label>
            <Select id={id} className="w-44" value={base} options={models.map((name) => ({ value: name, label: name }))} onChoose={setBase} />
          </div>
        ) : null}
      </div>
      {choices.map((choice) => (
        <AdapterRow key={choice.name} choice={choice} model={base} chosen={chosen} full={full || base === ''} onChoose={onChoose} />
      ))}
    </section>
  )
}

/** Shown so that nobody looks for them, with why they can't be chosen. */
function Unusable({ title, choices }: { readonly title: string; readonly choices: readonly Choice[] }) {
  if (choices.length === 0) return null
  return (
    <section aria-label={title} className="flex flex-col">
      <h3 className="border-b border-line pb-2 text-small font-semibold">{title}</h3>
      {choices.map((choice) => (
        <ChoiceRow key={`${choice.name} ${choice.trained}`} nested title={choice.name} choice={choice} chosen={false} disabled />
      ))}
    </section>
  )
}

function NothingTrained() {
  return (
    <Notice title="No adapter yet" action={<ActionLink to="/setup">Train one in Setup</ActionLink>}>
      You can compare base models with each other.
    </Notice>
  )
}

function isEmpty({ groups, baseless, foreign, gone }: Choices): boolean {
  return [groups, baseless, foreign, gone].every((each) => each.length === 0)
}

/** Bases first, else as they were chosen. */
function inOrder(targets: readonly Target[]): readonly Target[] {
  return [...targets.filter((each) => each.adapter === null), ...targets.filter((each) => each.adapter !== null)]
}

function chosenWords(chosen: readonly Target[]): string {
  if (chosen.length === 0) return 'Choose one or more.'
  const names = chosen.map(targetLabel)
  return names.length > 3 ? plural(names.length, 'target') : names.join(' · ')
}
