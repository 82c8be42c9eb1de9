/** Model downloads: listed once, followed over the event stream, started, stopped, continued. */
import { useCallback, useEffect, useRef } from 'react'
import { useDispatch, useSelector } from 'react-redux'
import { readProblem } from '@/api/errors'
import {
  api,
  useDownloadModelMutation,
  useListDownloadsQuery,
  useRemoveDownloadMutation,
  type DownloadInfo,
} from '@/api/generated'
import { selectDownloadJobs } from '@/api/jobSlice'
import { toastRaised } from '@/ui/feedback/toastSlice'
import { useFollowedDownloads } from './useFollowedDownloads'

export type Downloads = ReturnType<typeof useDownloads>

/** `onArrived` is given the folder of a model that was asked for here; `arrived` is the end of the sentence about it. */
export function useDownloads(onArrived: (path: string) => void, arrived = 'is downloaded and chosen.') {
  const dispatch = useDispatch()
  const all = useFollowedDownloads(useListDownloadsQuery(), useSelector(selectDownloadJobs))
  const [ask, asking] = useDownloadModelMutation()
  const [remove] = useRemoveDownloadMutation()
  const mine = useRef(new Set<string>())
  const start = useCallback(
    async (repo_id: string, revision: string | null): Promise<boolean> => {
      const answer = await ask({ downloadRequest: { repo_id, revision } })
      if (answer.data) mine.current.add(answer.data.id)
      return answer.data !== undefined
    },
    [ask],
  )

  useEffect(() => {
    for (const info of all) {
      if (info.state !== 'completed' || !info.path || !mine.current.delete(info.id)) continue
      dispatch(api.util.invalidateTags(['models']))
      dispatch(toastRaised({ level: 'good', message: `${info.repo_id} ${arrived}` }))
      onArrived(info.path)
    }
  }, [all, dispatch, onArrived, arrived])

  return {
    all,
    start,
    resume: (info: DownloadInfo) => void start(info.repo_id, info.revision),
    remove: (info: DownloadInfo) => void remove({ downloadId: info.id }),
    starting: asking.isLoading,
    problem: readProblem(asking.error),
    forgetProblem: asking.reset,
  }
}
