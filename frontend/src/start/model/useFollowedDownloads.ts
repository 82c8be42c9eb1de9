/** A list of downloads as it was asked for, followed over the event stream and asked for anew when it may be out of date. */
import { useEffect, useMemo } from 'react'
import { useSelector } from 'react-redux'
import type { DownloadInfo } from '@/api/generated'
import { refetchFresh } from '@/api/refetchFresh'
import { selectSnapshots, type JobView } from '@/api/jobSlice'
import { merged } from './downloads'

const NONE: readonly DownloadInfo[] = []

type Listed = { readonly data?: { readonly downloads: readonly DownloadInfo[] } | undefined; readonly refetch: () => unknown }

export function useFollowedDownloads({ data, refetch }: Listed, told: readonly JobView[]): readonly DownloadInfo[] {
  const snapshots = useSelector(selectSnapshots)
  const listed = data?.downloads ?? NONE
  const all = useMemo(() => merged(listed, told), [listed, told])
  const unknown = told.some((job) => job.state !== 'removed' && !listed.some((info) => info.id === job.job_id))
  useEffect(() => {
    if (data !== undefined && (unknown || snapshots > 0)) void refetchFresh(refetch)
    // Only news is a reason to ask: `data` itself changes with the answer.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [unknown, snapshots, refetch])
  return all
}
