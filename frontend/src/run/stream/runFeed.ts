/**
 * Where the event stream meets the page: frames become store actions, points go to the series and
 * lines to the log book. Bursts are handed on together, at most once per drawn frame.
 */

import { LogBook } from '@/run/log/logBook'
import { RunSeries } from '@/run/series/series'

import { openEventStream, streamUrl, type EventStream, type Surroundings } from '@/api/stream/eventStream'
import type { Frame } from '@/api/frames'
import { api } from '@/api/generated'
import { concerns } from '@/run/reducer/runReducer'
import { framesReceived } from '@/api/stream/streamEvents'
import { connectionChanged } from '@/run/reducer/runSlice'

type Action =
  | ReturnType<typeof framesReceived>
  | ReturnType<typeof connectionChanged>
  | ReturnType<typeof api.util.invalidateTags>
type Store = { readonly dispatch: (action: Action) => unknown }

export type RunStores = { readonly series: RunSeries; readonly log: LogBook }

/** The curves and the log of the run that is shown live. */
export const liveStores: RunStores = { series: new RunSeries(), log: new LogBook() }

/** Follows frames into the stores; remembers whose frames they are. */
export function storeWriter({ series, log }: RunStores): (frame: Frame) => void {
  let sessionId: string | null = null
  return (frame) => {
    if (!concerns(sessionId, frame)) return
    switch (frame.type) {
      case 'training_state':
        sessionId = frame.data.session_id ?? null
        series.replace(frame.data.series ?? {})
        log.replace(frame.data.logs ?? [])
        return
      case 'training_started':
      case 'session_loaded':
        sessionId = frame.data.session_id
        series.clear()
        log.replace([])
        return
      case 'training_reset':
        sessionId = null
        series.clear()
        log.replace([])
        return
      case 'training_progress':
        if (frame.data.point) series.append(frame.data.point)
        log.append(linesOf(frame.data))
        return
      case 'checkpoint_saved':
        series.markCheckpoint(frame.data.step)
        return
      case 'best_model_updated':
        series.markBest(frame.data)
        return
      default:
        return
    }
  }
}

function linesOf(data: { log_line?: string | null; log_lines?: readonly string[] }): readonly string[] {
  if (data.log_lines && data.log_lines.length > 0) return data.log_lines
  return data.log_line ? [data.log_line] : []
}

/** Runs `flush` once soon: with the next drawn frame, or after a while where nothing is drawn. */
export type Schedule = (flush: () => void) => void

type Options = {
  readonly store: Store
  readonly stores?: RunStores
  readonly around?: Surroundings
  readonly schedule?: Schedule
  readonly now?: () => number
}

/** Connects the page to the server; answers the stream, whose `close` ends it. */
export function startRunFeed({
  store,
  stores = liveStores,
  around = browserSurroundings(),
  schedule = nextFrameOrSoon,
  now = Date.now,
}: Options): EventStream {
  const write = storeWriter(stores)
  let waiting: Frame[] = []

  const flush = () => {
    const frames = waiting
    waiting = []
    if (frames.length === 0) return
    for (const frame of frames) write(frame)
    store.dispatch(framesReceived({ frames: frames.map(withoutBulk), at: now() }))
    if (frames.some(changesSessions)) store.dispatch(api.util.invalidateTags(['sessions']))
    // A loaded session comes without its curves and an end without its paths: a snapshot has all.
    if (frames.some((frame) => frame.type === 'session_loaded' || isEnd(frame))) stream.resync()
  }

  const stream = openEventStream(around, {
    onFrame: (frame) => {
      waiting.push(frame)
      if (waiting.length === 1) schedule(flush)
    },
    onConnection: (connection) => store.dispatch(connectionChanged(connection)),
  })
  return stream
}

/** Curves and log lines are in their stores by now; Redux keeps the small things only. */
function withoutBulk(frame: Frame): Frame {
  if (frame.type !== 'training_state') return frame
  const { series, ...rest } = frame.data
  return { ...frame, data: { ...rest, series: { best: series?.best ?? null }, logs: [] } }
}

function isEnd({ type }: Frame): boolean {
  return type === 'training_completed' || type === 'training_stopped' || type === 'training_error'
}

/** These change what `GET /sessions` answers. */
function changesSessions(frame: Frame): boolean {
  return isEnd(frame) || frame.type === 'training_started' || frame.type === 'training_reset'
}

const HIDDEN_FLUSH_MS = 250

const nextFrameOrSoon: Schedule = (flush) => {
  // A hidden tab draws no frames; the timer keeps its title and notifications true.
  let done = false
  const once = () => {
    if (done) return
    done = true
    flush()
  }
  requestAnimationFrame(once)
  setTimeout(once, HIDDEN_FLUSH_MS)
}

function browserSurroundings(): Surroundings {
  return {
    url: streamUrl(),
    open: (url, on) => {
      const socket = new WebSocket(url)
      socket.onmessage = ({ data }) => {
        on.message(data)
      }
      socket.onclose = on.lost
      socket.onerror = on.lost
      return () => {
        socket.close()
      }
    },
    after: (ms, run) => {
      const timer = setTimeout(run, ms)
      return () => {
        clearTimeout(timer)
      }
    },
    random: Math.random,
  }
}
