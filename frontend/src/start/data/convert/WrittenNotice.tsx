/** What a conversion or a split has written, and what it left out. */
import type { LineProblem } from '@/api/generated'
import { count, plural } from '@/lib/format'
import { Notice } from '@/ui/feedback/Notice'

type Props = {
  readonly title: string
  readonly files: readonly { readonly path: string; readonly rows: number }[]
  readonly skipped: readonly LineProblem[]
  readonly skippedCount: number
  readonly notes?: readonly string[]
}

const SHOWN = 8

export function WrittenNotice({ title, files, skipped, skippedCount, notes = [] }: Props) {
  return (
    <div className="flex flex-col gap-3" role="status">
      <Notice title={title}>
        <ul>
          {files.map((file) => (
            <li key={file.path} className="break-all">
              {plural(file.rows, 'row')} in <span className="font-mono">{file.path}</span>
            </li>
          ))}
        </ul>
        {notes.map((note) => (
          <p key={note} className="mt-1">
            {note}
          </p>
        ))}
      </Notice>
      {skippedCount > 0 ? (
        <Notice tone="warn" title={`${plural(skippedCount, 'row')} left out`}>
          <ul className="flex flex-col gap-0.5">
            {skipped.slice(0, SHOWN).map(({ line, message }) => (
              <li key={line} className="break-words">
                {message}
              </li>
            ))}
            {skippedCount > SHOWN ? <li>and {count(skippedCount - Math.min(SHOWN, skipped.length))} more</li> : null}
          </ul>
        </Notice>
      ) : null}
    </div>
  )
}
