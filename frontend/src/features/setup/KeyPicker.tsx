/** A list of one's own: the modules that this architecture really has. */
import type { LoraTargets } from '@/api/generated'
import type { Draft } from './fieldRules'
import { GROUP_NAMES } from './lora'

type Props = {
  readonly targets: LoraTargets
  readonly chosen: readonly string[]
  readonly onChoose: (keys: Draft) => void
}

export function KeyPicker({ targets, chosen, onChoose }: Props) {
  const toggle = (name: string, on: boolean) =>
    onChoose(targets.keys.map((key) => key.name).filter((each) => (each === name ? on : chosen.includes(each))))
  return (
    <fieldset className="mb-4 rounded-field border border-line p-3">
      <legend className="px-1 text-small font-medium text-ink">Matrices of {targets.architecture}</legend>
      <div className="grid grid-cols-1 gap-x-4 gap-y-1.5 @xs:grid-cols-2 @2xl:grid-cols-4">
        {targets.keys.map((key) => (
          <label key={key.name} className="flex min-w-0 items-center gap-2 text-small text-ink">
            <input
              type="checkbox"
              className="size-3.5 shrink-0 accent-accent"
              checked={chosen.includes(key.name)}
              onChange={(event) => toggle(key.name, event.target.checked)}
            />
            <span className="truncate font-mono text-tiny" title={`${key.name} (${GROUP_NAMES[key.group]})`}>
              {key.name}
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  )
}
