/** Downloads of data sets: listed once, followed over the event stream, started, stopped, continued. */
import { useCallback, useEffect } from 'react'
import { useSelector } from 'react-redux'
import { readProblem } from '@/api/errors'
import {
  useDownloadDatasetMutation,
  useListDatasetDownloadsQuery,
  useRemoveDatasetDownloadMutation,
  type DatasetDownloadRequest,
  type DownloadInfo,
} from '@/api/generated'
import { refetchFresh } from '@/api/refetchFresh'
import { selectDatasetDownloadJobs } from '@/api/jobSlice'
import { useFollowedDownloads } from '@/start/model/useFollowedDownloads'

export function useDatasetDownloads() {
  const listed = useListDatasetDownloadsQuery()
  const told = useSelector(selectDatasetDownloadJobs)
  const all = useFollowedDownloads(listed, told)
  const { refetch } = listed
  // What was written of the rows is in the list, not in the frames.
  const ended = told.filter((job) => job.over).map((job) => `${job.job_id} ${job.state}`).join()
  useEffect(() => {
    if (ended !== '') void refetchFresh(refetch)
  }, [ended, refetch])
  const [ask, asking] = useDownloadDatasetMutation()
  const [remove, removing] = useRemoveDatasetDownloadMutation()
  const start = useCallback(
    async (datasetDownloadRequest: DatasetDownloadRequest) => (await ask({ datasetDownloadRequest })).data !== undefined,
    [ask],
  )
  return {
    all,
    start,
    resume: (info: DownloadInfo) => void start(info.dataset ?? { repo_id: info.repo_id, revision: info.revision }),
    remove: (info: DownloadInfo) => void remove({ downloadId: info.id }),
    starting: asking.isLoading,
    problem: readProblem(asking.error) ?? readProblem(removing.error),
    forgetProblem: asking.reset,
  }
}
