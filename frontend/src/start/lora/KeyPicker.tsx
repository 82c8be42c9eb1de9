/** A list of one's own: the modules that this architecture really has, or names where it can't be read. */
import { useState } from 'react'
import type { LoraTargets } from '@/api/generated'
import type { Draft } from '@/start/fields/fieldRules'
import { byGroup, GROUP_NAMES, trainableWords, unknownNames, type Extent } from './lora'
import { cx } from '@/lib/cx'
import { Field } from '@/ui/controls/Field'
import { TextInput } from '@/ui/controls/TextInput'

type Props = {
  readonly targets: LoraTargets
  readonly chosen: readonly string[]
  readonly extent: Extent | null
  readonly onChoose: (keys: Draft) => void
}

export function KeyPicker({ targets, chosen, extent, onChoose }: Props) {
  if (targets.keys.length === 0) return <NameList chosen={chosen} onChoose={onChoose} />
  // From a file or another model: seen, so that they can be taken out.
  const unknown = unknownNames(targets, chosen)
  const order = [...targets.keys.map((key) => key.name), ...unknown]
  const toggle = (name: string, on: boolean) =>
    onChoose(order.filter((each) => (each === name ? on : chosen.includes(each))))
  return (
    <fieldset className="mb-4 flex flex-col gap-3 rounded-field border border-line p-3">
      <legend className="px-1 text-small font-medium text-ink">Matrices of {targets.architecture}</legend>
      {[...byGroup(targets.keys)].map(([group, keys]) => {
        const taken = keys.filter((key) => chosen.includes(key.name))
        const figure = trainableWords(targets, taken, extent)
        return (
          <div key={group}>
            <p className="mb-1.5 text-tiny text-soft">
              {GROUP_NAMES[group]} · {taken.length} of {keys.length}
              {figure ? ` · ${figure} trainable` : ''}
            </p>
            <Names names={keys.map((key) => key.name)} chosen={chosen} onToggle={toggle} />
          </div>
        )
      })}
      {unknown.length > 0 ? <Names names={unknown} chosen={chosen} onToggle={toggle} unknown /> : null}
    </fieldset>
  )
}

type NamesProps = {
  readonly names: readonly string[]
  readonly chosen: readonly string[]
  readonly onToggle: (name: string, on: boolean) => void
  readonly unknown?: boolean
}

function Names({ names, chosen, onToggle, unknown = false }: NamesProps) {
  return (
    <div className="grid grid-cols-1 gap-x-4 gap-y-1.5 @xs:grid-cols-2 @2xl:grid-cols-4">
      {names.map((name) => (
        <label key={name} className={cx('flex min-w-0 items-center gap-2 text-small', unknown ? 'text-bad' : 'text-ink')}>
          <input
            type="checkbox"
            className="size-3.5 shrink-0 accent-accent"
            checked={chosen.includes(name)}
            onChange={(event) => onToggle(name, event.target.checked)}
          />
          <span className="truncate font-mono text-tiny" title={unknown ? `No module of this model is called ${name}` : name}>
            {name}
          </span>
          {unknown ? <span className="shrink-0 text-tiny">not in this model</span> : null}
        </label>
      ))}
    </div>
  )
}

/** What is typed stays as it is, commas and all; what it names is the choice. */
function NameList({ chosen, onChoose }: Pick<Props, 'chosen' | 'onChoose'>) {
  const [text, setText] = useState(() => chosen.join(', '))
  return (
    <Field label="Module names" help="Separated by commas, for example self_attn.q_proj, mlp.up_proj." className="mb-4">
      {(control) => (
        <TextInput
          {...control}
          mono
          value={text}
          onText={(next) => {
            setText(next)
            onChoose(next.split(',').map((each) => each.trim()).filter(Boolean))
          }}
        />
      )}
    </Field>
  )
}
