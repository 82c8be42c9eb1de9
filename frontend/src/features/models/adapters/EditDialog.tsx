/** Another name, other tags. Its session finds it under the new name. */
import { useState, type FormEvent } from 'react'
import { useDispatch } from 'react-redux'
import { readProblem } from '@/api/errors'
import { api, useChangeAdapterMutation, type AdapterInfo } from '@/api/generated'
import { Button } from '@/ui/controls/Button'
import { Field } from '@/ui/controls/Field'
import { TextInput } from '@/ui/controls/TextInput'
import { Dialog } from '@/ui/Dialog'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { readTags } from './adapterGroups'

type Props = { readonly adapter: AdapterInfo; readonly onClose: () => void }

export function EditDialog({ adapter, onClose }: Props) {
  const [name, setName] = useState(adapter.name)
  const [tags, setTags] = useState(adapter.tags.join(', '))
  const dispatch = useDispatch()
  const [change, { isLoading, error }] = useChangeAdapterMutation()
  const problem = readProblem(error)
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    const renamed = name.trim() !== adapter.name
    const answer = await change({
      name: adapter.name,
      adapterChange: { ...(renamed ? { name: name.trim() } : {}), tags: [...readTags(tags)] },
    })
    if (answer.error) return
    dispatch(api.util.invalidateTags(['inference']))
    onClose()
  }
  return (
    <Dialog
      open
      title="Rename or tag"
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" form="adapter-form" busy={isLoading && 'Saving…'}>
            Save
          </Button>
        </>
      }
    >
      <form id="adapter-form" className="flex flex-col gap-4" onSubmit={(event) => void submit(event)}>
        <Field label="Name" help="Letters, digits, dots, dashes and underscores." error={problem?.fields['name']}>
          {(control) => <TextInput {...control} mono value={name} onText={setName} data-first-focus />}
        </Field>
        <Field label="Tags" help="The task it is for, say. Separate tags with commas." error={problem?.fields['tags']}>
          {(control) => <TextInput {...control} value={tags} onText={setTags} placeholder="support, german" />}
        </Field>
        {problem ? <ErrorPanel message={problem.detail} hint={problem.hint} /> : null}
      </form>
    </Dialog>
  )
}
