/** The models of this machine, what is being fetched or made, and what can be done with each. */
import { Boxes } from 'lucide-react'
import { useCallback, useEffect, useState } from 'react'
import { useSystemQuery, type ModelInfo } from '@/api/generated'
import { DownloadRows } from '@/start/model/DownloadRows'
import { canResume, isLive } from '@/start/model/downloads'
import type { Downloads } from '@/start/model/useDownloads'
import type { ModelList as Models } from '@/start/model/useModels'
import { bytes, plural } from '@/lib/format'
import { Button } from '@/ui/controls/Button'
import { Card } from '@/ui/Card'
import { EmptyState } from '@/ui/feedback/EmptyState'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { RetryPanel } from '@/ui/feedback/RetryPanel'
import { Skeleton } from '@/ui/feedback/Skeleton'
import { ConversionRow } from './ConversionRow'
import { ConvertDialog } from './ConvertDialog'
import { ModelList } from './ModelList'
import { useConversion } from './useConversion'

type Props = { readonly list: Models; readonly downloads: Downloads; readonly onDownload: () => void }

export function ModelsCard({ list, downloads, onDownload }: Props) {
  const [converting, setConverting] = useState<ModelInfo | null>(null)
  const conversion = useConversion()
  const { data: system } = useSystemQuery()
  const limit = system?.recommended_working_set ?? null
  const shown = downloads.all.filter((info) => isLive(info) || canResume(info) || info.state === 'damaged')
  const here = downloads.all.filter((info) => info.state === 'completed').length
  const { retry } = list
  useEffect(() => {
    if (here > 0) retry()
  }, [here, retry])
  const convert = useCallback((model: ModelInfo) => setConverting(model), [])
  return (
    <Card title="Models" subtitle={<Summary list={list} limit={limit} />}>
      <div className="mb-3 flex flex-col gap-3 empty:hidden">
        {shown.length > 0 ? <DownloadRows shown={shown} downloads={downloads} /> : null}
        <ConversionRow conversion={conversion} />
        {conversion.stopProblem ? <ErrorPanel message={conversion.stopProblem.detail} hint={conversion.stopProblem.hint} /> : null}
      </div>
      {list.problem && !list.loaded ? (
        <RetryPanel problem={list.problem} retrying={list.retrying} onRetry={list.retry} />
      ) : !list.loaded ? (
        <div className="flex flex-col gap-3" aria-busy="true">
          <Skeleton className="h-10" />
          <Skeleton className="h-10" />
        </div>
      ) : list.models.length === 0 ? (
        <EmptyState icon={Boxes} title="No model found" action={<Button kind="primary" onClick={onDownload}>Download a model</Button>}>
          Models that you download, and those of LM Studio and the Hugging Face cache, are listed here.
        </EmptyState>
      ) : (
        <ModelList models={list.models} limit={limit} onConvert={convert} />
      )}
      {converting ? <ConvertDialog model={converting} onClose={() => setConverting(null)} /> : null}
    </Card>
  )
}

function Summary({ list, limit }: { readonly list: Models; readonly limit: number | null }) {
  if (!list.loaded) return <>Looking for models…</>
  const unusable = list.models.filter((model) => model.problem !== null).length
  const total = list.models.reduce((sum, model) => sum + (model.size_bytes ?? 0), 0)
  const parts = [
    plural(list.models.length, 'model'),
    bytes(total),
    unusable ? `${unusable} not usable` : null,
    limit === null ? null : `engine limit ${bytes(limit)} here`,
  ]
  return <>{parts.filter(Boolean).join(' · ')}</>
}
