/**
 * One plain WebSocket to the server, kept open. It reconnects by itself with growing, jittered
 * waits, asks for what it missed by `since` and `epoch`, and takes silence for a dead line. What
 * frames mean is not its business. Everything outside (socket, timers, chance) is handed in, so
 * tests drive it without a network or a clock.
 */

import { judge, NOWHERE, type Place } from './eventCursor'
import type { Frame } from '@/api/frames'

export type Connection = 'connecting' | 'connected' | 'reconnecting'

export type SocketEvents = {
  readonly message: (data: unknown) => void
  /** Closed by the other side, or failed; may be said twice. */
  readonly lost: () => void
}

export type Surroundings = {
  readonly url: string
  /** Opens a socket; answers the function that closes it. */
  readonly open: (url: string, on: SocketEvents) => () => void
  /** Calls back after `ms`; answers the function that calls it off. */
  readonly after: (ms: number, run: () => void) => () => void
  /** From 0 up to, not including, 1. */
  readonly random: () => number
}

export type StreamListener = {
  readonly onFrame: (frame: Frame) => void
  readonly onConnection: (connection: Connection) => void
}

export type EventStream = {
  /** Ask for a fresh snapshot now. */
  readonly resync: () => void
  /** Try at once instead of waiting, for example when the network is back. */
  readonly retryNow: () => void
  readonly close: () => void
}

/** The server pings every 20 s: two lost pings and a bit. */
export const SILENCE_MS = 45_000
const FIRST_WAIT_MS = 300
const LONGEST_WAIT_MS = 10_000

/** Wait before attempt `attempt` (from 0): doubling, capped, and spread so clients don't march. */
export function backOff(attempt: number, random: number): number {
  const ceiling = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(attempt, 10))
  return Math.round(ceiling * (0.5 + random / 2))
}

export function openEventStream(around: Surroundings, listener: StreamListener): EventStream {
  let place: Place = NOWHERE
  let closeSocket: (() => void) | null = null
  let generation = 0
  let attempt = 0
  let closed = false
  let connection: Connection | null = null
  let callOffRetry = nothing
  let callOffSilence = nothing

  const say = (next: Connection) => {
    if (next === connection) return
    connection = next
    listener.onConnection(next)
  }

  const connect = () => {
    callOffRetry()
    generation += 1
    const mine = generation
    listen()
    closeSocket = around.open(addressOf(around.url, place), {
      message: (data) => {
        if (mine === generation) receive(data)
      },
      lost: () => {
        if (mine === generation) lost()
      },
    })
  }

  const lost = () => {
    drop()
    if (closed) return
    say(place.epoch === null && attempt === 0 ? 'connecting' : 'reconnecting')
    callOffRetry = around.after(backOff(attempt, around.random()), connect)
    attempt += 1
  }

  /** From here on the old socket's words are not heard. */
  const drop = () => {
    callOffSilence()
    generation += 1
    closeSocket?.()
    closeSocket = null
  }

  const listen = () => {
    callOffSilence()
    callOffSilence = around.after(SILENCE_MS, lost)
  }

  const receive = (data: unknown) => {
    listen()
    const frame = parseFrame(data)
    if (!frame) return
    const { place: next, verdict } = judge(place, frame)
    place = next
    if (verdict === 'resync') {
      lost()
      return
    }
    attempt = 0
    say('connected')
    if (verdict === 'take') listener.onFrame(frame)
  }

  say('connecting')
  connect()
  return {
    resync: () => {
      if (closed) return
      place = NOWHERE
      drop()
      connect()
    },
    retryNow: () => {
      if (closed || closeSocket !== null) return
      attempt = 0
      connect()
    },
    close: () => {
      closed = true
      callOffRetry()
      drop()
    },
  }
}

/** `ws:` beside the page's own `http:`; another base (the development server's proxy) may be given. */
export function streamUrl(base: string = location.href): string {
  const url = new URL('/ws', base)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  return url.href
}

function addressOf(url: string, place: Place): string {
  if (place.epoch === null) return url
  const query = new URLSearchParams({ since: String(place.seq), epoch: place.epoch })
  return `${url}?${query.toString()}`
}

/** Text that is no frame is left out, not an error: a newer server may say more. */
function parseFrame(data: unknown): Frame | null {
  if (typeof data !== 'string') return null
  try {
    const value: unknown = JSON.parse(data)
    return isFrame(value) ? value : null
  } catch {
    return null
  }
}

function isFrame(value: unknown): value is Frame {
  if (typeof value !== 'object' || value === null) return false
  const { type, seq, epoch } = value as Record<string, unknown>
  return typeof type === 'string' && typeof seq === 'number' && typeof epoch === 'string'
}

function nothing(): void {}
