/** The live run in Redux: the small things only. Curves and log lines live in `runFeed`'s stores. */

import { createSlice, type PayloadAction } from '@reduxjs/toolkit'

import type { Connection } from '@/api/stream/eventStream'
import type { QueuedRun } from '@/api/frames'
import { framesReceived } from '@/api/stream/streamEvents'
import { isLive, NO_RUN, reduceFrame, type RunView } from './runReducer'

export type RunSliceState = {
  readonly connection: Connection
  /** When the server was last heard, by the browser's clock; null while it is. */
  readonly lostAt: number | null
  readonly run: RunView
  /** The runs that wait behind it, the next one first. */
  readonly queue: readonly QueuedRun[]
}
/** The part of the store's state that the selectors need; the store names this slice `run`. */
type WithRun = { readonly run: RunSliceState }

const initialState: RunSliceState = { connection: 'connecting', lostAt: null, run: NO_RUN, queue: [] }

const runSlice = createSlice({
  name: 'run',
  initialState,
  reducers: {
    connectionChanged: {
      prepare: (payload: Connection) => ({ payload, meta: { at: Date.now() } }),
      reducer: (state, { payload, meta }: PayloadAction<Connection, string, { readonly at: number }>) => ({
        ...state,
        connection: payload,
        lostAt: payload === 'connected' ? null : (state.lostAt ?? (state.connection === 'connected' ? meta.at : null)),
      }),
    },
  },
  extraReducers: (builder) => {
    builder.addCase(framesReceived, (state, { payload }) => {
      let { run, queue }: RunSliceState = state
      for (const frame of payload.frames) {
        run = reduceFrame(run, frame, payload.at)
        if (frame.type === 'queue_changed') queue = frame.data.queue
        else if (frame.type === 'training_state') queue = frame.data.queue ?? []
      }
      return run === state.run && queue === state.queue ? state : { ...state, run, queue }
    })
  },
})

export const runReducer = runSlice.reducer
export const { connectionChanged } = runSlice.actions

export const selectRun = (state: WithRun): RunView => state.run.run
export const selectConnection = (state: WithRun): Connection => state.run.connection
/** When the server was last heard; null while it is, and before it ever was. */
export const selectLostAt = (state: WithRun): number | null => state.run.lostAt
export const selectQueue = (state: WithRun): readonly QueuedRun[] => state.run.queue
export const selectIsLive = (state: WithRun): boolean => isLive(state.run.run.state)

export type Progress = {
  readonly step: number | null
  readonly total: number | null
  /** From 0 to 1; null where it can't be known. */
  readonly fraction: number | null
}

export function progressOf(run: RunView): Progress {
  const step = run.metrics.current_step ?? null
  const total = run.metrics.total_steps ?? null
  const fraction = step === null || total === null || total <= 0 ? null : Math.min(1, step / total)
  return { step, total, fraction }
}

export type RunTimes = { readonly elapsed: number | null; readonly remaining: number | null }

/** Times at `now` in seconds: they run on between reports while the run does, and stand still after. */
export function timesOf(run: RunView, now: number): RunTimes {
  const elapsed = run.metrics.elapsed_seconds ?? null
  const remaining = run.metrics.estimated_time_remaining ?? null
  const moving = run.state === 'running' || run.state === 'starting' || run.state === 'stopping'
  if (!moving) return { elapsed, remaining: run.state === 'paused' ? remaining : null }
  const since = Math.max(0, (now - run.at) / 1000)
  return {
    elapsed: elapsed === null ? null : elapsed + since,
    remaining: remaining === null ? null : Math.max(0, remaining - since),
  }
}
