/** What a download of a data set is of, and what was written of its rows. */
import type { DownloadInfo } from '@/api/generated'
import { count, plural } from '@/lib/format'
import { Button } from '@/ui/controls/Button'
import { rowsWords } from './hubDataset'

type Props = { readonly info: DownloadInfo; readonly onTrain: (info: DownloadInfo) => void; readonly onOpen: ((path: string) => void) | undefined }

export function WrittenRows({ info, onTrain, onOpen }: Props) {
  const { written, path } = info
  return (
    <div className="mt-1 flex flex-col gap-2 text-small text-soft">
      {info.dataset ? <p>{rowsWords(info.dataset)}</p> : null}
      {info.state === 'completed' && path ? (
        <>
          <p>
            {written ? `${plural(written.rows, 'row')} in ` : 'In '}
            <span className="font-mono break-all" title={path}>
              {info.name}
            </span>
            {written && written.skipped_count > 0 ? ` · ${count(written.skipped_count)} left out: ${written.skipped[0]?.message ?? ''}` : null}
          </p>
          {written?.notes.map((note) => <p key={note}>{note}</p>)}
          <span className="flex flex-wrap gap-2">
            <Button size="small" kind="primary" onClick={() => onTrain(info)}>
              Train with this file
            </Button>
            {onOpen ? (
              <Button size="small" onClick={() => onOpen(path)}>
                Inspect
              </Button>
            ) : null}
          </span>
        </>
      ) : null}
    </div>
  )
}
