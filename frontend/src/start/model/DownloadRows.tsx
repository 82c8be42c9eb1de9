/** Each download: how far it is, what went wrong, and what can be done about it. */
import type { ReactNode } from 'react'
import type { DownloadInfo } from '@/api/generated'
import { Badge, type Tone } from '@/ui/Badge'
import { Button } from '@/ui/controls/Button'
import { Notice } from '@/ui/feedback/Notice'
import { ProgressBar } from '@/ui/feedback/ProgressBar'
import { canResume, isLive, progressWords } from './downloads'
import type { Downloads } from './useDownloads'

type Props = {
  readonly shown: readonly DownloadInfo[]
  readonly downloads: Pick<Downloads, 'remove' | 'resume'>
  /** More about one: what of it is fetched, and what came of it. */
  readonly about?: (info: DownloadInfo) => ReactNode
}

const STATES: Readonly<Record<DownloadInfo['state'], readonly [string, Tone]>> = {
  waiting: ['waiting', 'neutral'],
  preparing: ['starting', 'accent'],
  downloading: ['downloading', 'accent'],
  retrying: ['trying again', 'warn'],
  converting: ['converting', 'accent'],
  completed: ['here', 'good'],
  cancelled: ['stopped', 'neutral'],
  interrupted: ['interrupted', 'warn'],
  error: ['failed', 'bad'],
  removed: ['discarded', 'neutral'],
  damaged: ['can’t be read', 'bad'],
}

export function DownloadRows({ shown, downloads, about }: Props) {
  if (shown.length === 0) return null
  return (
    <ul aria-label="Downloads" className="flex flex-col gap-3">
      {shown.map((info) => (
        <DownloadRow key={info.id} info={info} downloads={downloads} about={about} />
      ))}
    </ul>
  )
}

function DownloadRow({ info, downloads, about }: Omit<Props, 'shown'> & { readonly info: DownloadInfo }) {
  const live = isLive(info)
  const [word, tone] = STATES[info.state]
  const share = info.bytes_total ? (info.bytes_done ?? 0) / info.bytes_total : null
  return (
    <li className="rounded-field border border-line px-3 py-2.5">
      <div className="flex flex-wrap items-center gap-x-2 gap-y-1.5">
        <span className="min-w-0 flex-1 font-medium break-words">
          {info.repo_id || `Part of a download (${info.name})`}
          {info.revision === 'main' ? null : <span className="font-normal text-soft"> @ {info.revision}</span>}
        </span>
        <Badge tone={tone}>{word}</Badge>
      </div>
      {live || (canResume(info) && share !== null) ? (
        <ProgressBar
          className="mt-2"
          label={`Download of ${info.repo_id}`}
          value={live || share !== null ? share : 0}
          text={progressWords(info)}
        />
      ) : null}
      <div className="mt-2 flex flex-wrap items-center gap-2">
        <p className="min-w-0 flex-1 basis-44 text-small text-soft tabular-nums">{progressWords(info)}</p>
        <span className="flex gap-2">
          <Button size="small" kind="ghost" onClick={() => downloads.remove(info)}>
            {live ? 'Stop' : info.state === 'completed' ? 'Dismiss' : 'Discard'}
          </Button>
          {/* Where Stop was: a second press by accident goes on, it throws nothing away. */}
          {canResume(info) ? (
            <Button size="small" onClick={() => downloads.resume(info)}>
              Resume
            </Button>
          ) : null}
        </span>
      </div>
      {about?.(info)}
      {info.state === 'error' && info.error ? (
        <Notice tone="bad" title={info.error} className="mt-2">
          {info.hint}
        </Notice>
      ) : null}
      {info.state === 'completed' && info.problem ? (
        <Notice tone="warn" title="It can’t be trained here" className="mt-2">
          {info.problem}
        </Notice>
      ) : null}
    </li>
  )
}
