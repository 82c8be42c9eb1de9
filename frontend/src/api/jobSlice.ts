/** Work beside the runs, as the event stream tells of it: how far each job is, and how it ended. */
import { createSelector, createSlice } from '@reduxjs/toolkit'

import type { JobData } from './frames'
import { framesReceived } from '@/api/stream/streamEvents'

export type JobView = JobData & { readonly over: boolean }
export type JobSliceState = {
  readonly jobs: Readonly<Record<string, JobView>>
  /** Rises when a fresh snapshot came: frames may have been missed before it, so ask again. */
  readonly snapshots: number
  /** Rises with each snapshot, and when the server found a damaged file or its disk got full or has room again. */
  readonly notices: number
}
type WithJobs = { readonly jobs: JobSliceState }

const MOST = 64
const initialState: JobSliceState = { jobs: {}, snapshots: 0, notices: 0 }

const jobSlice = createSlice({
  name: 'jobs',
  initialState,
  reducers: {},
  extraReducers: (builder) => {
    builder.addCase(framesReceived, (state, { payload }) => {
      let { jobs, snapshots, notices } = state
      for (const frame of payload.frames) {
        switch (frame.type) {
          case 'training_state':
            snapshots += 1
            notices += 1
            // What was told of downloads may be out of date now; their list is asked for anew.
            jobs = Object.fromEntries(Object.entries(jobs).filter(([, job]) => job.kind !== 'download'))
            break
          case 'job_progress':
          case 'job_completed':
          case 'job_error':
            jobs = { ...jobs, [frame.data.job_id]: { ...frame.data, over: frame.type !== 'job_progress' } }
            break
          case 'notices_changed':
            notices += 1
            break
          default:
            break
        }
      }
      if (jobs === state.jobs && notices === state.notices) return state
      return { jobs: newest(jobs), snapshots, notices }
    })
  },
})

export const jobReducer = jobSlice.reducer

export const selectSnapshots = (state: WithJobs): number => state.jobs.snapshots

export const selectNotices = (state: WithJobs): number => state.jobs.notices

export function selectJob(state: WithJobs, id: string | null): JobView | null {
  return id === null ? null : (state.jobs.jobs[id] ?? null)
}

/** What was told of model downloads, in the order they were first heard of. */
const selectJobs = (state: WithJobs) => state.jobs.jobs

/** Of models; data sets have a list of their own. */
export const selectDownloadJobs = createSelector(selectJobs, (jobs): readonly JobView[] =>
  Object.values(jobs).filter((job) => job.kind === 'download' && job.repo_type !== 'dataset'),
)

export const selectDatasetDownloadJobs = createSelector(selectJobs, (jobs): readonly JobView[] =>
  Object.values(jobs).filter((job) => job.kind === 'download' && job.repo_type === 'dataset'),
)

function newest(jobs: JobSliceState['jobs']): JobSliceState['jobs'] {
  const all = Object.entries(jobs)
  return all.length <= MOST ? jobs : Object.fromEntries(all.slice(-MOST))
}
