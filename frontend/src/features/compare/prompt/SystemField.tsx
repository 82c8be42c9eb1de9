/** The system prompt: one's own, or the one of the training rows. */
import { Field } from '@/ui/controls/Field'
import { LinkButton } from '@/ui/controls/LinkButton'
import { CONTROL } from '@/ui/controls/TextInput'
import type { SamplingForm } from './sampling'
import type { Trained } from './useTrained'

type Props = {
  readonly form: SamplingForm
  readonly trained: Trained | null
  readonly onChange: (part: Partial<SamplingForm>) => void
}

export function SystemField({ form, trained, onChange }: Props) {
  const offered = fromRows(form, trained)
  return (
    <Field
      label="System prompt"
      help={offered ? `From the training rows of ${trained?.adapter ?? 'the adapter'}` : 'Sent before the prompt where the chat template supports it'}
      aside={offered ? <LinkButton onClick={() => onChange({ system: '' })}>Remove</LinkButton> : undefined}
    >
      {(control) => (
        <textarea
          {...control}
          value={form.system}
          rows={2}
          spellCheck={false}
          onChange={(event) => onChange({ system: event.target.value })}
          className={`${CONTROL} max-h-48 resize-y px-2.5 py-2 [field-sizing:content]`}
        />
      )}
    </Field>
  )
}

/** The system prompt of the training rows stands in the field. */
export function fromRows({ system }: SamplingForm, trained: Trained | null): boolean {
  return trained?.system != null && system === trained.system
}
