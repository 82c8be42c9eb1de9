/** Known data files: used before, in the app's folder, and the demo's. */
import { useSelector } from 'react-redux'
import type { DatasetInfo } from '@/api/generated'
import { selectLostAt } from '@/run/reducer/runSlice'
import { formName } from '@/start/data/dataForms'
import { bytes, plural } from '@/lib/format'
import { cx } from '@/lib/cx'
import { Badge } from '@/ui/Badge'
import { Card } from '@/ui/Card'
import { Skeleton } from '@/ui/feedback/Skeleton'

const GROUPS = [
  { source: 'recent', name: 'Used in runs' },
  { source: 'datasets', name: 'Your files' },
  { source: 'demo', name: 'Demo' },
] as const

type Props = {
  readonly datasets: readonly DatasetInfo[] | null
  readonly folder: string | null
  readonly chosen: string
  readonly onChoose: (path: string) => void
}

export function FileList({ datasets, folder, chosen, onChoose }: Props) {
  const lost = useSelector(selectLostAt) !== null
  return (
    <Card title="Files" subtitle={folder ? <span title={folder}>New files go to {shortPath(folder)}</span> : 'Loading…'}>
      {datasets === null ? (
        <div className="flex flex-col gap-2">
          {['a', 'b', 'c', 'd'].map((key) => (
            <Skeleton key={key} className="h-10" />
          ))}
        </div>
      ) : (
        <div className={cx('-mx-1.5 flex max-h-64 flex-col gap-3 overflow-y-auto transition-opacity lg:max-h-none', lost && 'opacity-60')}>
          {GROUPS.map(({ source, name }) => {
            const files = datasets.filter((each) => each.source === source)
            return files.length === 0 ? null : (
              <section key={source} aria-label={name}>
                <h3 className="px-1.5 pb-1 text-tiny font-medium text-faint">{name}</h3>
                <ul className="flex flex-col gap-0.5">
                  {files.map((file) => (
                    <li key={file.path}>
                      <FileButton file={file} chosen={isChosen(file, chosen)} onChoose={onChoose} />
                    </li>
                  ))}
                </ul>
              </section>
            )
          })}
        </div>
      )}
    </Card>
  )
}

type ButtonProps = {
  readonly file: DatasetInfo
  readonly chosen: boolean
  readonly onChoose: (path: string) => void
}

function FileButton({ file, chosen, onChoose }: ButtonProps) {
  return (
    <button
      type="button"
      aria-pressed={chosen}
      title={file.path}
      onClick={() => onChoose(file.path)}
      className={cx(
        'flex w-full min-w-0 items-center justify-between gap-2 rounded-field px-1.5 py-1.5 text-left transition-colors hover:bg-sunken',
        chosen && 'bg-sunken ring-1 ring-line',
      )}
    >
      <span className="min-w-0">
        <span className="block truncate font-medium text-ink">{file.name}</span>
        <span className="block truncate text-tiny text-faint">{factsOf(file)}</span>
      </span>
      {file.problem ? <Badge tone="bad">problem</Badge> : null}
    </button>
  )
}

function factsOf(file: DatasetInfo): string {
  if (file.problem) return file.problem
  const sets = [file.has_valid && 'valid', file.has_test && 'test'].filter(Boolean).join(', ')
  return [formName(file.format), file.rows === null ? null : plural(file.rows, 'row'), bytes(file.size_bytes), sets && `with ${sets}`]
    .filter(Boolean)
    .join(' · ')
}

function isChosen(file: DatasetInfo, chosen: string): boolean {
  return file.path === chosen || file.path === `${chosen}/train.jsonl`
}

/** The last two parts: enough to know it, short enough for its place. */
function shortPath(path: string): string {
  const parts = path.split('/').filter(Boolean)
  return parts.length <= 2 ? path : `…/${parts.slice(-2).join('/')}`
}
