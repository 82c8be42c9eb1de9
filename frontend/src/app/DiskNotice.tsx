/** On every page while the server's disk has next to no room, and with it what to do. */
import { useEffect } from 'react'
import { useSelector } from 'react-redux'
import { useSystemQuery } from '@/api/generated'
import { selectNotices } from '@/api/jobSlice'
import { selectConnection } from '@/run/reducer/runSlice'
import { bytes } from '@/lib/format'
import { Notice } from '@/ui/feedback/Notice'

const LOW_SPACE = 100e6 // as the server's own warning at its start

export function DiskNotice() {
  const skip = useSelector(selectConnection) !== 'connected'
  const { data, refetch } = useSystemQuery(undefined, { skip })
  const changes = useSelector(selectNotices)
  useEffect(() => {
    if (changes > 0 && !skip) void refetch()
  }, [changes, skip, refetch])
  if (!data || data.disk_free === null || data.disk_free >= LOW_SPACE) return null
  return (
    <Notice tone="warn" title={`The disk is almost full: ${bytes(data.disk_free)} free.`} className="mb-4">
      Runs and answers can’t be saved in {data.data_dir}. Delete old sessions on Results, or other files on that disk; deleting works on a
      full disk too.
    </Notice>
  )
}
