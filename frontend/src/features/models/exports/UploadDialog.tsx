/** An export to the Hugging Face hub: which repository, who sees it, and what is sent. */
import { useState, type FormEvent } from 'react'
import { readProblem } from '@/api/errors'
import { useStartUploadMutation, type ExportInfo } from '@/api/generated'
import { bytes, plural } from '@/lib/format'
import { Button } from '@/ui/controls/Button'
import { Field } from '@/ui/controls/Field'
import { Switch } from '@/ui/controls/Switch'
import { TextInput } from '@/ui/controls/TextInput'
import { Dialog } from '@/ui/Dialog'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { Notice } from '@/ui/feedback/Notice'

type Props = { readonly item: ExportInfo; readonly hub: string; readonly onClose: () => void }

export function UploadDialog({ item, hub, onClose }: Props) {
  const [repo, setRepo] = useState('')
  const [isPrivate, setPrivate] = useState(true)
  const [send, { isLoading, error, reset }] = useStartUploadMutation()
  const problem = readProblem(error)
  const ready = repo.trim().includes('/')
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (!ready) return
    const answer = await send({ name: item.name, uploadBody: { repo_id: repo.trim(), private: isPrivate } })
    if (answer.data) onClose()
  }
  return (
    <Dialog
      open
      title={`Upload ${item.name}`}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" form="upload-form" disabled={!ready} busy={isLoading && 'Starting…'}>
            Upload
          </Button>
        </>
      }
    >
      <form id="upload-form" className="flex flex-col gap-4" onSubmit={(event) => void submit(event)}>
        <Field label="Repository" help="owner/name: your user name or an organisation of yours. It is created unless it exists.">
          {(control) => (
            <TextInput
              {...control}
              mono
              value={repo}
              placeholder={`your-name/${item.name}`}
              data-first-focus
              onText={(text) => {
                setRepo(text)
                reset()
              }}
            />
          )}
        </Field>
        <Switch
          label="Private"
          checked={isPrivate}
          onChange={setPrivate}
          help={isPrivate ? 'Only you and those you allow can see it.' : 'Everybody can see and download it. Check the licence of the base model first.'}
        />
        <Notice title={`${plural(item.files.length, 'file')}, ${bytes(item.size_bytes)}, to ${hub.replace('https://', '')}`}>
          Weights, configuration, tokenizer and model card. Folder paths of this machine are removed from the card and from droid.json.
          An upload that ends early can be repeated: large files that have arrived are not sent again.
        </Notice>
        {problem ? <ErrorPanel message={problem.detail} hint={problem.hint} /> : null}
      </form>
    </Dialog>
  )
}
