/** Prompts that the run answers at each validation, so that one sees the model change. */
import { Plus, X } from 'lucide-react'
import { useId } from 'react'
import { FieldControl } from '@/start/fields/FieldControl'
import type { FieldErrors } from '@/start/fields/form'
import type { StartForm } from '@/start/fields/useStartForm'
import { Card } from '@/ui/Card'
import { Button } from '@/ui/controls/Button'
import { FieldNote } from '@/ui/controls/Field'
import { IconButton } from '@/ui/controls/IconButton'
import { CONTROL } from '@/ui/controls/TextInput'
import { useHeldOutPrompts } from './useHeldOutPrompts'

type Props = { readonly form: StartForm; readonly errors: FieldErrors }

const NAME = 'sample_prompts'

export function SamplesCard({ form, errors }: Props) {
  const id = useId()
  const { help, max = 8, maxLength } = form.field(NAME)
  const draft = form.values[NAME]
  const prompts = Array.isArray(draft) ? (draft as readonly string[]) : []
  const change = (next: readonly string[]) => form.set(NAME, next)
  const heldOut = useHeldOutPrompts(form.request, max, (texts) => change([...prompts.filter((each) => each.trim() !== ''), ...texts].slice(0, max)))
  const full = prompts.length >= max
  const error = errors[NAME]
  const note = heldOut.note
  return (
    <Card
      title="Live samples"
      subtitle={help}
      bodyClassName="@container"
      actions={
        <>
          <Button size="small" disabled={full || heldOut.ask === null} busy={heldOut.asking && 'Reading…'} onClick={() => heldOut.ask?.()} title={heldOut.why}>
            Use held-out prompts
          </Button>
          <Button size="small" disabled={full} onClick={() => change([...prompts, ''])}>
            <Plus className="size-3.5" aria-hidden="true" />
            Add prompt
          </Button>
        </>
      }
    >
      {prompts.length === 0 ? <p className="text-small text-soft">No prompts: nothing is sampled.</p> : null}
      <ul className="grid grid-cols-1 gap-2.5 @2xl:grid-cols-2">
        {prompts.map((prompt, place) => (
          // Two prompts may be the same while they are typed, so only their place tells them apart.
          <li key={place} className="flex min-w-0 items-start gap-1">
            <label htmlFor={`${id}-${place}`} className="sr-only">
              {`Sample prompt ${place + 1}`}
            </label>
            <textarea
              id={`${id}-${place}`}
              aria-invalid={error ? true : undefined}
              rows={2}
              maxLength={maxLength}
              value={prompt}
              onChange={(event) => change(prompts.map((each, other) => (other === place ? event.target.value : each)))}
              className={`${CONTROL} resize-y px-2.5 py-1.5`}
            />
            <IconButton
              icon={X}
              label={`Remove sample prompt ${place + 1}`}
              onClick={() => change(prompts.filter((_, other) => other !== place))}
            />
          </li>
        ))}
      </ul>
      {error || note ? (
        <div className="mt-2" role="status">
          <FieldNote id="sample-prompts-note" help={note} error={error} />
        </div>
      ) : null}
      {prompts.length > 0 ? (
        <div className="mt-4 grid grid-cols-1 gap-4 @3xs:grid-cols-2 @2xl:grid-cols-4">
          <FieldControl name="sample_max_tokens" form={form} errors={errors} className="@3xs:col-span-2" />
        </div>
      ) : null}
    </Card>
  )
}
