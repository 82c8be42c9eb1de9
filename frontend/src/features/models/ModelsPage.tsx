/** Models and adapters of this machine: fetched, converted, tidied up. */
import { useState } from 'react'
import { BaseCatalog } from '@/start/model/BaseCatalog'
import { DownloadDialog } from '@/start/model/DownloadDialog'
import { useDownloads } from '@/start/model/useDownloads'
import { useModels } from '@/start/model/useModels'
import { Button } from '@/ui/controls/Button'
import { Card } from '@/ui/Card'
import { PageHeader } from '@/ui/PageHeader'
import { AdaptersCard } from './adapters/AdaptersCard'
import { ModelsCard } from './bases/ModelsCard'
import { ExportsCard } from './exports/ExportsCard'

const nothing = () => undefined

export function ModelsPage() {
  const [downloading, setDownloading] = useState(false)
  const list = useModels()
  const downloads = useDownloads(nothing, 'is downloaded.')
  const open = () => setDownloading(true)
  return (
    <>
      <PageHeader title="Models" subtitle="Bases, the adapters trained on them, and exports">
        <Button kind="primary" onClick={open}>
          Download…
        </Button>
      </PageHeader>
      <div className="flex flex-col gap-4">
        <ModelsCard list={list} downloads={downloads} onDownload={open} />
        <Card title="Bases for this machine" subtitle="Well-known models, those that fit first.">
          <BaseCatalog downloads={downloads} />
        </Card>
        <AdaptersCard models={list.models} />
        <ExportsCard />
      </div>
      {downloading ? <DownloadDialog downloads={downloads} onClose={() => setDownloading(false)} /> : null}
    </>
  )
}
