/** Look into a data file as the model does, before it costs a run. */
import { Database, FolderOpen } from 'lucide-react'
import { useCallback, useState, type DragEvent } from 'react'
import { useListDatasetsQuery, useListModelsQuery } from '@/api/generated'
import { useDataFile } from '@/start/data/useDataFile'
import { DatasetDialog } from '@/start/data/hub/DatasetDialog'
import { useExamination } from '@/start/data/examination/useExamination'
import { cx } from '@/lib/cx'
import { useDebounced } from '@/lib/useDebounced'
import { Button } from '@/ui/controls/Button'
import { EmptyState } from '@/ui/feedback/EmptyState'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { PageHeader } from '@/ui/PageHeader'
import { Examined } from '@/features/data/file/Examined'
import { FileFacts } from '@/features/data/file/FileFacts'
import { FileList } from './FileList'
import { limitOf } from '@/features/data/file/LengthsCard'
import { PathBar } from './PathBar'
import { useDataPlace } from './useDataPlace'

const SETTLE_MS = 350

export function DataPage() {
  const { path, model, limit, place, change } = useDataPlace()
  const known = useListDatasetsQuery(undefined, { refetchOnMountOrArgChange: true })
  const models = useListModelsQuery()
  const usable = models.data?.models.filter((each) => each.problem === null) ?? []
  const chosen = usable.find((each) => each.name === model) ?? usable[0] ?? null
  const [over, setOver] = useState(false)
  const [fetching, setFetching] = useState(false)
  const open = useCallback((to: string) => change({ path: to, place: null }), [change])
  const file = useDataFile(open)
  const examination = useExamination({
    path: useDebounced(path.trim(), SETTLE_MS),
    // Without waiting for the model list everything would be asked twice.
    model: chosen?.name ?? null,
    limit: useDebounced(limitOf(limit), SETTLE_MS),
    skip: models.isLoading,
  })
  const openWritten = (to: string) => {
    open(to)
    void known.refetch()
  }
  const onDrop = (event: DragEvent) => {
    event.preventDefault()
    setOver(false)
    const dropped = event.dataTransfer.files[0]
    if (dropped) void file.take(dropped)
  }
  return (
    // Dropping is a second way to do what Open does by keyboard.
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions
    <div
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={onDrop}
      className={cx('rounded-card', over && 'outline-2 outline-offset-8 outline-accent outline-dashed')}
    >
      <PageHeader title="Data" subtitle="Inspect, convert and split training data">
        <Button onClick={() => setFetching(true)}>Download a data set…</Button>
        <Button onClick={() => void file.browse()} busy={file.uploading && 'Uploading…'}>
          <FolderOpen className="size-4" strokeWidth={1.75} aria-hidden="true" />
          Open a file…
        </Button>
      </PageHeader>
      {fetching ? (
        <DatasetDialog
          page="/setup"
          onClose={() => setFetching(false)}
          onOpen={(to) => {
            setFetching(false)
            openWritten(to)
          }}
        />
      ) : null}
      {file.problem ? <ErrorPanel className="mb-4" message={file.problem.detail} hint={file.problem.hint} /> : null}
      <div className="grid grid-cols-1 items-start gap-4 lg:grid-cols-[17rem_minmax(0,1fr)]">
        <FileList
          datasets={known.data?.datasets ?? null}
          folder={known.data?.folder ?? null}
          chosen={path}
          onChoose={open}
        />
        <div className="flex min-w-0 flex-col gap-4">
          <PathBar
            path={path}
            onPath={open}
            model={chosen?.name ?? ''}
            models={usable.map((each) => each.name)}
            onModel={(name) => change({ model: name })}
          >
            {examination.found ? (
              <FileFacts found={examination.found} busy={examination.busy} onOpen={openWritten} />
            ) : null}
          </PathBar>
          {path === '' ? (
            <EmptyState icon={Database} title="Choose a file to inspect">
              Pick one from the list, drop one here, or enter its path: JSON Lines, JSON, CSV, Parquet, or a folder with train.jsonl. You see problems by line, duplicates, token lengths, and every row as tokens.
            </EmptyState>
          ) : (
            <Examined
              path={path.trim()}
              model={chosen?.name ?? null}
              examination={examination}
              limit={limit}
              place={place}
              onLimit={(text) => change({ limit: text })}
              onPlace={(next) => change({ place: next })}
            />
          )}
        </div>
      </div>
    </div>
  )
}
