/** The exports of this machine; the card is there once there is one. */
import { readProblem } from '@/api/errors'
import { useListExportsQuery } from '@/api/generated'
import { bytes, plural } from '@/lib/format'
import { Card } from '@/ui/Card'
import { DamagedItems } from '@/ui/DamagedItems'
import { Notice } from '@/ui/feedback/Notice'
import { RetryPanel } from '@/ui/feedback/RetryPanel'
import { ExportRow } from './ExportRow'
import { UploadRow } from './UploadRow'
import { useUpload } from './useUpload'

export function ExportsCard() {
  const { data, error, isFetching, refetch } = useListExportsQuery(undefined, { refetchOnMountOrArgChange: true })
  const upload = useUpload()
  const problem = readProblem(error)
  const exports = data?.exports ?? []
  const [first] = exports
  if (problem && !data)
    return (
      <Card title="Exports">
        <RetryPanel problem={problem} retrying={isFetching} onRetry={() => void refetch()} />
      </Card>
    )
  if (!data || (first === undefined && data.damaged.length === 0)) return null
  const total = exports.reduce((sum, each) => sum + each.size_bytes, 0)
  // The same for all: a missing token is said once, where fingers and keyboards find it too.
  const locked = upload.running ? null : exports.every((each) => !each.uploadable) ? (first?.reason ?? null) : null
  return (
    <Card title="Exports" subtitle={`${plural(exports.length, 'export')}, ${bytes(total)}`}>
      <UploadRow upload={upload} />
      <DamagedItems items={data.damaged} title="An export can’t be read" />
      {locked === null ? null : (
        <Notice className="mb-3" title="Uploads to the hub are off">
          {locked}
        </Notice>
      )}
      <ul className="flex flex-col divide-y divide-line">
        {exports.map((item) => (
          <ExportRow key={item.name} item={item} hub={data.hub} busy={upload.running} />
        ))}
      </ul>
    </Card>
  )
}
