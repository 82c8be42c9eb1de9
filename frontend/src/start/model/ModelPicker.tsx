/** The found models, each with its facts and whether its weights fit. Radio buttons, so arrow keys and readers just work. */
import { useId, type ReactNode } from 'react'
import type { ModelInfo } from '@/api/generated'
import { factsOf } from './modelWords'
import { WeightsBadge } from './WeightsBadge'
import { baseName } from '@/lib/format'
import { cx } from '@/lib/cx'
import { FieldNote } from '@/ui/controls/Field'

type Props = {
  readonly models: readonly ModelInfo[]
  readonly path: string
  /** Bytes that the engine may use on this machine, where known. */
  readonly limit: number | null
  readonly error: string | undefined
  readonly onChoose: (path: string) => void
}

export function ModelPicker({ models, path, limit, error, onChoose }: Props) {
  const id = useId()
  const names = models.map((model) => model.name)
  const isListed = path === '' || models.some((model) => model.path === path)
  return (
    <fieldset className="min-w-0" aria-describedby={error ? `${id}-note` : undefined}>
      <legend className="mb-1.5 text-small font-medium text-ink">Base model</legend>
      <ul className={cx('max-h-72 divide-y divide-line overflow-y-auto rounded-field border', error ? 'border-bad-strong' : 'border-edge')}>
        {isListed ? null : (
          <PickerRow group={id} name={baseName(path)} facts={`Opened folder · ${path}`} checked onChoose={() => onChoose(path)} />
        )}
        {models.map((model) => (
          <PickerRow
            key={model.path}
            group={id}
            name={model.name}
            // Same names are told apart by their folder.
            facts={[...factsOf(model), ...(names.indexOf(model.name) === names.lastIndexOf(model.name) ? [] : [model.path])].join(' · ')}
            badge={<WeightsBadge model={model} limit={limit} />}
            disabled={model.problem !== null}
            checked={model.path === path}
            onChoose={() => onChoose(model.path)}
          />
        ))}
      </ul>
      {error ? (
        <div className="mt-1.5">
          <FieldNote id={`${id}-note`} error={error} />
        </div>
      ) : null}
    </fieldset>
  )
}

type RowProps = {
  readonly group: string
  readonly name: string
  readonly facts: string
  readonly badge?: ReactNode
  readonly disabled?: boolean
  readonly checked: boolean
  readonly onChoose: () => void
}

function PickerRow({ group, name, facts, badge, disabled = false, checked, onChoose }: RowProps) {
  const id = useId()
  return (
    <li>
      <label
        className={cx(
          'relative flex items-center gap-2.5 px-2.5 py-1.5 -outline-offset-2 outline-accent has-focus-visible:outline-2',
          checked ? 'bg-accent-wash' : disabled ? '' : 'hover:bg-sunken',
        )}
      >
        <input
          type="radio"
          name={group}
          aria-labelledby={`${id}-name`}
          aria-describedby={`${id}-facts`}
          className="size-3.5 shrink-0 accent-accent outline-none"
          disabled={disabled}
          checked={checked}
          onChange={onChoose}
        />
        <span className="min-w-0 flex-1">
          <span id={`${id}-name`} className={cx('block font-medium break-words', disabled ? 'text-soft' : 'text-ink')}>
            {name}
          </span>
          <span id={`${id}-facts`} className="block text-tiny break-words text-soft">
            {facts}
          </span>
        </span>
        {badge}
      </label>
    </li>
  )
}
