/** How the changes are merged: one line for each way, and what TIES and DARE keep. */
import { useId } from 'react'
import { Field, FieldNote } from '@/ui/controls/Field'
import { NumberInput } from '@/ui/controls/NumberInput'
import { hasDensity, METHODS, methodName, type FusionFields, type Method } from './fusionForm'

type Props = {
  readonly fields: FusionFields
  readonly problems: Readonly<Record<string, string>>
  readonly onChange: (part: Partial<FusionFields>) => void
}

export function MethodField({ fields, problems, onChange }: Props) {
  const name = useId()
  const problem = problems['method']
  return (
    <div className="flex flex-col gap-3">
      <fieldset className="flex flex-col gap-1.5" aria-describedby={problem ? `${name}-note` : undefined}>
        <legend className="mb-1.5 text-small font-medium">Method</legend>
        <div className="grid grid-cols-1 gap-2 sm:grid-cols-2">
          {METHODS.map((method) => (
            <label
              key={method.id}
              className="flex gap-2.5 rounded-field border border-edge px-3 py-2 transition-colors hover:border-faint has-checked:border-accent has-checked:bg-accent-wash has-focus-visible:outline-2 has-focus-visible:outline-offset-1 has-focus-visible:outline-accent"
            >
              <input
                type="radio"
                name={name}
                aria-label={method.name}
                aria-describedby={`${name}-${method.id}`}
                checked={fields.method === method.id}
                onChange={() => onChange({ method: method.id })}
                className="mt-0.5 size-4 shrink-0 accent-accent outline-none"
              />
              <span className="min-w-0">
                <span className="font-medium">{method.name}</span>
                <span id={`${name}-${method.id}`} className="block text-small text-soft">
                  {method.line}
                </span>
              </span>
            </label>
          ))}
        </div>
        {problem ? <FieldNote id={`${name}-note`} error={problem} /> : null}
      </fieldset>
      {hasDensity(fields.method) ? (
        <Field label="Density" help={densityHelp(fields.method)} error={problems['density']} className="sm:max-w-xs">
          {(control) => (
            <NumberInput {...control} value={fields.density} onText={(density) => onChange({ density })} min={0.05} max={1} step={0.05} />
          )}
        </Field>
      ) : null}
    </div>
  )
}

function densityHelp(method: Method): string {
  return `The share of each change that ${methodName(method)} keeps; 1 keeps all of it.`
}
