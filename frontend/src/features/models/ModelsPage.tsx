/** Models and adapters of this machine: fetched, converted, tidied up. */
import { useState } from 'react'
import { DownloadDialog } from '@/start/model/DownloadDialog'
import { useDownloads } from '@/start/model/useDownloads'
import { useModels } from '@/start/model/useModels'
import { Button } from '@/ui/controls/Button'
import { PageHeader } from '@/ui/PageHeader'
import { AdaptersCard } from './adapters/AdaptersCard'
import { ModelsCard } from './bases/ModelsCard'

const nothing = () => undefined

export function ModelsPage() {
  const [downloading, setDownloading] = useState(false)
  const list = useModels()
  const downloads = useDownloads(nothing, 'is downloaded.')
  const open = () => setDownloading(true)
  return (
    <>
      <PageHeader title="Models" subtitle="Bases and the adapters trained on them">
        <Button kind="primary" onClick={open}>
          Download…
        </Button>
      </PageHeader>
      <div className="flex flex-col gap-4">
        <ModelsCard list={list} downloads={downloads} onDownload={open} />
        <AdaptersCard models={list.models} />
      </div>
      {downloading ? <DownloadDialog downloads={downloads} onClose={() => setDownloading(false)} /> : null}
    </>
  )
}
