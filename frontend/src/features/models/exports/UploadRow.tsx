/** How the upload goes, and how it ended where that was seen here or went wrong. */
import { Badge } from '@/ui/Badge'
import { Button } from '@/ui/controls/Button'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { Notice } from '@/ui/feedback/Notice'
import { ProgressBar } from '@/ui/feedback/ProgressBar'
import type { Upload } from './useUpload'

const PHASES: Readonly<Record<string, string>> = {
  hashing: 'Reading the files…',
  uploading: 'Uploading…',
  finishing: 'Finishing the commit…',
}

export function UploadRow({ upload }: { readonly upload: Upload }) {
  const { name, repo, running, state, phase, progress, message, error, hint, witnessed, stop, stopping } = upload
  if (running) {
    const words = PHASES[phase ?? ''] ?? 'Starting…'
    return (
      <div className="mb-3 rounded-field border border-line px-3 py-2.5">
        <div className="flex flex-wrap items-center gap-x-2 gap-y-1.5">
          <span className="min-w-0 flex-1 font-medium break-words">
            {name} <span className="font-normal text-soft">to {repo}</span>
          </span>
          <Badge tone="accent">uploading</Badge>
        </div>
        <ProgressBar className="mt-2" label={`Upload of ${name ?? 'an export'}`} value={progress} text={words} />
        <div className="mt-2 flex items-center gap-2">
          <p className="min-w-0 flex-1 text-small text-soft">{words}</p>
          <Button size="small" kind="ghost" onClick={stop} busy={stopping && 'Stopping…'}>
            Stop
          </Button>
        </div>
      </div>
    )
  }
  if (error !== null) return <ErrorPanel className="mb-3" message={`${name ?? 'The export'} was not uploaded: ${error}`} hint={hint} />
  if (!witnessed || message === null) return null
  return (
    <Notice className="mb-3" title={state === 'completed' ? `${name ?? 'The export'} is uploaded` : 'The upload was stopped'}>
      <span className="break-words">{message}</span>
    </Notice>
  )
}
