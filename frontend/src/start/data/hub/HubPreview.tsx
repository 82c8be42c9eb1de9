/** The first rows of a split before it is fetched, as they are and as they would be written. */
import { useState } from 'react'
import { readProblem } from '@/api/errors'
import { useConvertFewRowsQuery, usePreviewHubDatasetQuery, type HubDatasetInfo } from '@/api/generated'
import { formName } from '@/start/data/dataForms'
import { RowList } from '@/start/data/RowList'
import { bytes } from '@/lib/format'
import { Button } from '@/ui/controls/Button'
import { Segmented } from '@/ui/controls/Segmented'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { Notice } from '@/ui/feedback/Notice'
import { Skeleton } from '@/ui/feedback/Skeleton'
import type { Chosen } from './hubDataset'

type View = 'written' | 'raw'
type Props = { readonly chosen: Chosen; readonly rows: ReturnType<typeof useHubRows> }

const SHOWN = 3

export function useHubRows(info: HubDatasetInfo | null, chosen: Chosen | null) {
  return usePreviewHubDatasetQuery(
    { repoId: info?.repo_id ?? '', revision: info?.revision, config: chosen?.config?.name, split: chosen?.split?.name },
    { skip: info === null || !chosen?.split },
  )
}

export function HubPreview({ chosen, rows }: Props) {
  const [view, setView] = useState<View>('written')
  const problem = rows.isFetching ? null : readProblem(rows.error)
  const found = rows.currentData
  const shown = view === 'raw' || chosen.form === '' ? 'raw' : 'written'
  return (
    <section aria-label="Preview" aria-busy={rows.isFetching} className="flex flex-col gap-2">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h3 className="text-small font-medium">First rows</h3>
        {chosen.form === '' ? null : (
          <Segmented
            label="Rows shown"
            value={shown}
            choices={[
              { value: 'written', label: `As ${formName(chosen.form).toLowerCase()}` },
              { value: 'raw', label: 'As they are' },
            ]}
            onChoose={setView}
          />
        )}
      </div>
      {rows.isFetching && !found ? (
        <>
          <p className="text-small text-soft">Reading the first rows from the hub…</p>
          <Skeleton className="h-20" />
        </>
      ) : problem ? (
        <ErrorPanel
          message={problem.detail}
          hint={problem.hint}
          action={
            <Button size="small" onClick={() => void rows.refetch()}>
              Try again
            </Button>
          }
        />
      ) : found?.problem ? (
        <Notice title="No preview">{found.problem} The rows can be looked at once the file is here.</Notice>
      ) : found ? (
        <>
          {shown === 'raw' ? <RowList label="First rows" rows={found.rows.slice(0, SHOWN)} /> : <Written rows={found.rows} chosen={chosen} />}
          <p className="text-tiny text-faint">
            From {found.file}; {bytes(found.read_bytes)} were read for it.{found.cut ? ' Long texts are cut here, not in the download.' : ''}
          </p>
        </>
      ) : null}
    </section>
  )
}

function Written({ rows, chosen }: { readonly rows: readonly Readonly<Record<string, unknown>>[]; readonly chosen: Chosen }) {
  const { form, mapping, answerAfter } = chosen
  const { currentData, error, isFetching } = useConvertFewRowsQuery(
    {
      rowsToConvert: {
        rows: rows.slice(0, SHOWN).map((row) => ({ ...row })),
        to: form === '' ? 'chat' : form,
        mapping: mapping && { ...mapping },
        answer_after: answerAfter || null,
      },
    },
    { skip: form === '' },
  )
  const problem = readProblem(error)
  if (problem) return <ErrorPanel message={problem.detail} hint={problem.hint} />
  if (isFetching || !currentData) return <Skeleton className="h-20" />
  const kept = currentData.rows.flatMap(({ row }) => (row ? [row] : []))
  const left = currentData.rows.find((each) => each.problem)
  return (
    <>
      {left ? (
        <Notice tone="warn" title={kept.length === 0 ? 'These rows can’t be written in this form' : 'Some rows are left out'}>
          {left.problem} {kept.length === 0 ? 'Map the columns, or choose another form.' : ''}
        </Notice>
      ) : null}
      {kept.length > 0 ? <RowList label="First rows" rows={kept} /> : null}
    </>
  )
}
