/** What the user says of a run: its name, tags, notes, and whether it is pinned. */
import { useState } from 'react'
import { readProblem } from '@/api/errors'
import { useDescribeSessionMutation } from '@/api/generated'
import { Button } from '@/ui/controls/Button'
import { Card } from '@/ui/Card'
import { Field } from '@/ui/controls/Field'
import { Switch } from '@/ui/controls/Switch'
import { CONTROL, TextInput } from '@/ui/controls/TextInput'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { cx } from '@/lib/cx'
import type { SessionView } from './record'

/** Edits stay here until they are saved; `key` it by the session. */
export function SessionNotes({ session }: { readonly session: SessionView }) {
  const saved = { name: session.ownName ?? '', tags: session.tags.join(', '), notes: session.notes, pinned: session.pinned }
  const [edited, setEdited] = useState<Partial<typeof saved>>({})
  const [send, { isLoading, error }] = useDescribeSessionMutation()
  const shown = { ...saved, ...edited }
  const changed = (Object.keys(edited) as (keyof typeof saved)[]).some((name) => edited[name] !== saved[name])
  const problem = readProblem(error)
  const save = async () => {
    const tags = shown.tags.split(',').map((tag) => tag.trim()).filter(Boolean)
    const sessionChange = { name: shown.name, notes: shown.notes, pinned: shown.pinned, tags }
    const result = await send({ sessionId: session.id, sessionChange })
    if (!result.error) setEdited({})
  }
  return (
    <Card
      title="Notes"
      actions={
        <Button size="small" disabled={!changed} busy={isLoading && 'Saving…'} onClick={() => void save()}>
          Save
        </Button>
      }
    >
      <div className="grid gap-3 md:grid-cols-2">
        <Field label="Name">
          {(control) => <TextInput {...control} value={shown.name} maxLength={120} placeholder={session.adapterName ?? ''} onText={(name) => setEdited({ ...edited, name })} />}
        </Field>
        <Field label="Tags" aside="separated by commas">
          {(control) => <TextInput {...control} value={shown.tags} onText={(tags) => setEdited({ ...edited, tags })} />}
        </Field>
        <Field label="Notes" className="md:col-span-2">
          {(control) => (
            <textarea
              {...control}
              rows={3}
              value={shown.notes}
              maxLength={20_000}
              onChange={(event) => setEdited({ ...edited, notes: event.target.value })}
              className={cx(CONTROL, 'px-2.5 py-1.5')}
            />
          )}
        </Field>
        <Switch label="Pinned to the top of Results" checked={shown.pinned} onChange={(pinned) => setEdited({ ...edited, pinned })} />
      </div>
      {problem ? <ErrorPanel className="mt-3" message={problem.detail} hint={problem.hint} /> : null}
    </Card>
  )
}
