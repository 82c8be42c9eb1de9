/** What the forms of Setup and Enhanced Setup begin with, whatever the method. */
import { useState, type FormEvent } from 'react'
import { FIELDS, type Field as SchemaField } from '@/api/fields'
import type { RunDefaults } from '@/api/generated'
import { draftOf, parseDraft } from '@/start/fields/fieldRules'
import { optionsOf } from '@/start/fields/labels'
import { Card } from '@/ui/Card'
import { Button } from '@/ui/controls/Button'
import { Field } from '@/ui/controls/Field'
import { NumberInput } from '@/ui/controls/NumberInput'
import { Select } from '@/ui/controls/Select'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { useChange } from '@/features/settings/useChange'

export const DEFAULT_NAMES = [
  'lora_rank', 'lora_alpha', 'batch_size', 'grad_accumulation_steps', 'optimizer', 'grad_checkpoint', 'early_stop', 'patience',
  'save_every', 'keep_checkpoints', 'seed', 'auto_continue',
] as const satisfies readonly (keyof RunDefaults)[]

type Drafts = Readonly<Record<string, string>>
const CHOICES = FIELDS.filter((field) => (DEFAULT_NAMES as readonly string[]).includes(field.name)) as readonly SchemaField[]

export function DefaultsSection({ saved }: { readonly saved: RunDefaults }) {
  const [edits, setEdits] = useState<Drafts>({})
  const { change, saving, problem } = useChange()
  const drafts = { ...draftsOf(saved), ...edits }
  const { values, errors } = parseAll(drafts)
  const changed = Object.keys(edits).length > 0
  const set = (name: string, text: string) => setEdits({ ...edits, [name]: text })
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (Object.keys(errors).length === 0 && (await change({ run_defaults: values }))) setEdits({})
  }
  return (
    <Card title="New runs" subtitle="What both forms begin with. Empty: the form’s own default. Starts over the API are not affected">
      <form onSubmit={(event) => void submit(event)}>
        <div className="grid grid-cols-1 gap-4 sm:grid-cols-2 md:grid-cols-3">
          {CHOICES.map((field) => (
            <DefaultField key={field.name} field={field} text={drafts[field.name] ?? ''} error={errors[field.name]} onText={(text) => set(field.name, text)} />
          ))}
        </div>
        {problem ? <ErrorPanel className="mt-4" message={problem.detail} hint={problem.hint} /> : null}
        <div className="mt-4 flex flex-wrap items-center gap-2">
          <Button type="submit" disabled={!changed || Object.keys(errors).length > 0} busy={saving && 'Saving…'}>
            Save defaults
          </Button>
          <Button kind="ghost" type="button" disabled={saving || Object.values(drafts).every((text) => text === '')} onClick={() => setEdits(EMPTY)}>
            Clear
          </Button>
          {changed ? <span className="text-small text-soft">Not saved yet.</span> : null}
        </div>
      </form>
    </Card>
  )
}

const EMPTY: Drafts = Object.fromEntries(DEFAULT_NAMES.map((name) => [name, '']))

type Props = {
  readonly field: SchemaField
  readonly text: string
  readonly error: string | undefined
  readonly onText: (text: string) => void
}

function DefaultField({ field, text, error, onText }: Props) {
  return (
    <Field label={field.title} error={error}>
      {(control) => {
        if (field.kind === 'boolean') return <Select {...control} value={text} options={SWITCH} onChoose={onText} />
        if (field.kind === 'choice')
          return <Select {...control} value={text} options={[{ value: '', label: 'Form default' }, ...optionsOf(field)]} onChoose={onText} />
        return <NumberInput {...control} value={text} onText={onText} unit={field.unit} min={field.min} max={field.max} placeholder="Form default" />
      }}
    </Field>
  )
}

const SWITCH = [
  { value: '', label: 'Form default' },
  { value: 'true', label: 'On' },
  { value: 'false', label: 'Off' },
]

function draftsOf(saved: RunDefaults): Drafts {
  const known = CHOICES.flatMap((field) => {
    const draft = draftOf(field, saved[field.name as keyof RunDefaults])
    return draft === undefined ? [] : [[field.name, String(draft)] as const]
  })
  return Object.fromEntries(known)
}

/** Only what is there; an empty field is left to the form. */
function parseAll(drafts: Drafts): { readonly values: RunDefaults; readonly errors: Drafts } {
  const values: Record<string, unknown> = {}
  const errors: Record<string, string> = {}
  for (const field of CHOICES) {
    const text = drafts[field.name] ?? ''
    if (text === '') continue
    const parsed = parseDraft(field, field.kind === 'boolean' ? text === 'true' : text)
    if (parsed.kind === 'value') values[field.name] = parsed.value
    if (parsed.kind === 'problem') errors[field.name] = parsed.message
  }
  return { values: values as RunDefaults, errors }
}
