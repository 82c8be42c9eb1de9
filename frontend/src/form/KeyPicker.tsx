/** A list of one's own: the modules that this architecture really has, or names where it can't be read. */
import { useState } from 'react'
import type { LoraTargets } from '@/api/generated'
import type { Draft } from './fieldRules'
import { GROUP_NAMES, unknownNames } from './lora'
import { cx } from '@/lib/cx'
import { Field } from '@/ui/Field'
import { TextInput } from '@/ui/TextInput'

type Props = {
  readonly targets: LoraTargets
  readonly chosen: readonly string[]
  readonly onChoose: (keys: Draft) => void
}

export function KeyPicker({ targets, chosen, onChoose }: Props) {
  if (targets.keys.length === 0) return <NameList chosen={chosen} onChoose={onChoose} />
  const rows = [
    ...targets.keys.map((key) => ({ name: key.name, hint: `${key.name} (${GROUP_NAMES[key.group]})`, known: true })),
    // From a file or another model: seen, so that they can be taken out.
    ...unknownNames(targets, chosen).map((name) => ({ name, hint: `No module of this model is called ${name}`, known: false })),
  ]
  const toggle = (name: string, on: boolean) =>
    onChoose(rows.map((row) => row.name).filter((each) => (each === name ? on : chosen.includes(each))))
  return (
    <fieldset className="mb-4 rounded-field border border-line p-3">
      <legend className="px-1 text-small font-medium text-ink">Matrices of {targets.architecture}</legend>
      <div className="grid grid-cols-1 gap-x-4 gap-y-1.5 @xs:grid-cols-2 @2xl:grid-cols-4">
        {rows.map(({ name, hint, known }) => (
          <label key={name} className={cx('flex min-w-0 items-center gap-2 text-small', known ? 'text-ink' : 'text-bad')}>
            <input
              type="checkbox"
              className="size-3.5 shrink-0 accent-accent"
              checked={chosen.includes(name)}
              onChange={(event) => toggle(name, event.target.checked)}
            />
            <span className="truncate font-mono text-tiny" title={hint}>
              {name}
            </span>
            {known ? null : <span className="shrink-0 text-tiny">not in this model</span>}
          </label>
        ))}
      </div>
    </fieldset>
  )
}

/** What is typed stays as it is, commas and all; what it names is the choice. */
function NameList({ chosen, onChoose }: Omit<Props, 'targets'>) {
  const [text, setText] = useState(() => chosen.join(', '))
  return (
    <Field label="Module names" help="With commas between them, as in self_attn.q_proj, mlp.up_proj." className="mb-4">
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
