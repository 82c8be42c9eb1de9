/**
 * Which frames of the event stream to believe. Pure: a place in the stream and a frame go in, what
 * to do comes out, so every odd history of frames can be tested as data.
 */

export type Place = {
  /** The server's start id, null before the first frame. */
  readonly epoch: string | null
  /** Number of the last frame taken. */
  readonly seq: number
  /** The last hole that was asked about; the same hole again is the server's own numbering. */
  readonly askedAt: number | null
}

export const NOWHERE: Place = { epoch: null, seq: 0, askedAt: null }

type Numbered = { readonly type: string; readonly seq: number; readonly epoch: string }

/** take: hand it on · drop: already known · resync: something is missing, ask the server again. */
export type Verdict = 'take' | 'drop' | 'resync'

export function judge(place: Place, frame: Numbered): { place: Place; verdict: Verdict } {
  const taken: Place = { epoch: frame.epoch, seq: frame.seq, askedAt: null }
  if (frame.type === 'training_state') return { place: taken, verdict: 'take' }
  if (frame.epoch !== place.epoch) return { place: NOWHERE, verdict: 'resync' }
  if (frame.type === 'ping' || frame.type === 'pong') {
    // A heartbeat takes no number of its own; one that is ahead betrays a frame that was lost.
    if (frame.seq <= place.seq || frame.seq === place.askedAt) return { place, verdict: 'drop' }
    return { place: { ...place, askedAt: frame.seq }, verdict: 'resync' }
  }
  if (frame.seq <= place.seq) return { place, verdict: 'drop' }
  const hole = frame.seq > place.seq + 1
  if (hole && place.askedAt !== frame.seq) {
    return { place: { ...place, askedAt: frame.seq }, verdict: 'resync' }
  }
  return { place: taken, verdict: 'take' }
}
