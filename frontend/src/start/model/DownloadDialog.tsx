/** Fetch a model by its name on the hub. It goes on when the dialog is closed. */
import { useState, type FormEvent } from 'react'
import { Button } from '@/ui/controls/Button'
import { Dialog } from '@/ui/Dialog'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { Field } from '@/ui/controls/Field'
import { TextInput } from '@/ui/controls/TextInput'
import { DownloadRows } from './DownloadRows'
import { repoIdOf, repoIdProblem } from './downloads'
import type { Downloads } from './useDownloads'

type Props = { readonly downloads: Downloads; readonly onClose: () => void }

export function DownloadDialog({ downloads, onClose }: Props) {
  const [name, setName] = useState('')
  const [revision, setRevision] = useState('')
  const [tried, setTried] = useState(false)
  const { problem, starting, forgetProblem } = downloads
  const nameProblem = repoIdProblem(name)
  const close = () => {
    forgetProblem()
    onClose()
  }
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (nameProblem || starting) return
    if (await downloads.start(repoIdOf(name), revision.trim() || null)) {
      setName('')
      setRevision('')
      setTried(false)
    }
  }
  return (
    <Dialog
      open
      title="Download from Hugging Face"
      onClose={close}
      footer={
        <>
          <Button onClick={close}>Close</Button>
          <Button kind="primary" type="submit" form="download-form" busy={starting && 'Looking up…'}>
            Download
          </Button>
        </>
      }
    >
      <form id="download-form" className="flex flex-col gap-4" onSubmit={(event) => void submit(event)}>
        <Field
          label="Model"
          help="Its name or address on huggingface.co. Downloads only safetensors weights, configuration and tokenizer, never code."
          error={(tried ? nameProblem : null) ?? problem?.fields['repo_id']}
        >
          {(control) => (
            <TextInput
              {...control}
              mono
              value={name}
              placeholder="mlx-community/Qwen2.5-0.5B-Instruct-4bit"
              onText={(text) => {
                setName(text)
                forgetProblem()
              }}
            />
          )}
        </Field>
        <Field label="Revision" aside="optional" help="Branch, tag or commit." error={problem?.fields['revision']}>
          {(control) => <TextInput {...control} mono value={revision} placeholder="main" onText={setRevision} />}
        </Field>
        {problem ? <ErrorPanel message={problem.detail} hint={problem.hint} /> : null}
      </form>
      {downloads.all.length > 0 ? (
        <div className="mt-4">
          <DownloadRows shown={downloads.all} downloads={downloads} />
        </div>
      ) : null}
    </Dialog>
  )
}
