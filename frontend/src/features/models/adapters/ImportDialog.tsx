/** Take in an adapter of PEFT, or of plain mlx_lm: a copy, after a look at what it holds. */
import { useState, type FormEvent } from 'react'
import { useDispatch } from 'react-redux'
import { readProblem } from '@/api/errors'
import { api, useImportAdapterMutation } from '@/api/generated'
import { bridge } from '@/lib/bridge'
import { Button } from '@/ui/controls/Button'
import { Field } from '@/ui/controls/Field'
import { LinkButton } from '@/ui/controls/LinkButton'
import { TextInput } from '@/ui/controls/TextInput'
import { Dialog } from '@/ui/Dialog'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'

export function ImportDialog({ onClose }: { readonly onClose: () => void }) {
  const [path, setPath] = useState('')
  const [name, setName] = useState('')
  const dispatch = useDispatch()
  const [take, { isLoading, error, reset }] = useImportAdapterMutation()
  const problem = readProblem(error)
  const desktop = bridge()
  const browse = async () => {
    const chosen = await desktop?.openFolder({ title: 'Choose an adapter folder' })
    if (chosen) setPath(chosen)
  }
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (path.trim() === '') return
    const answer = await take({ adapterImport: { path: path.trim(), ...(name.trim() === '' ? {} : { name: name.trim() }) } })
    if (answer.error) return
    dispatch(api.util.invalidateTags(['inference']))
    onClose()
  }
  return (
    <Dialog
      open
      title="Import an adapter"
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" form="import-form" disabled={path.trim() === ''} busy={isLoading && 'Copying…'}>
            Import
          </Button>
        </>
      }
    >
      <form id="import-form" className="flex flex-col gap-4" onSubmit={(event) => void submit(event)}>
        <Field
          label="Folder"
          help="With adapter_config.json and safetensors weights, of PEFT or mlx_lm. It is copied; the folder stays as it is."
          aside={desktop ? <LinkButton onClick={() => void browse()}>Browse…</LinkButton> : undefined}
          error={problem?.fields['path']}
        >
          {(control) => (
            <TextInput
              {...control}
              mono
              showEnd
              value={path}
              placeholder="/path/to/an/adapter"
              data-first-focus
              onText={(text) => {
                setPath(text)
                reset()
              }}
            />
          )}
        </Field>
        <Field label="Name" aside="optional" help="The folder’s own name unless you give one." error={problem?.fields['name']}>
          {(control) => <TextInput {...control} mono value={name} onText={setName} />}
        </Field>
        {problem ? <ErrorPanel message={problem.detail} hint={problem.hint} /> : null}
      </form>
    </Dialog>
  )
}
