import { expect, test } from 'vitest'

import { judge, NOWHERE, type Verdict } from './eventCursor'

type Step = readonly [type: string, seq: number, epoch: string, verdict: Verdict]

/** Each history is a list of frames with what must be done with each. */
const HISTORIES: Record<string, readonly Step[]> = {
  'a snapshot, then events in order': [
    ['training_state', 7, 'a', 'take'],
    ['training_progress', 8, 'a', 'take'],
    ['training_progress', 9, 'a', 'take'],
  ],
  'old and repeated numbers are dropped': [
    ['training_state', 7, 'a', 'take'],
    ['training_progress', 6, 'a', 'drop'],
    ['training_progress', 7, 'a', 'drop'],
    ['training_progress', 8, 'a', 'take'],
    ['training_progress', 8, 'a', 'drop'],
  ],
  'a lost frame asks the server again; a replay closes the hole': [
    ['training_state', 1, 'a', 'take'],
    ['training_progress', 4, 'a', 'resync'],
    ['training_progress', 2, 'a', 'take'],
    ['training_progress', 3, 'a', 'take'],
    ['training_progress', 4, 'a', 'take'],
  ],
  'a hole that the server does not fill is its own numbering, not a loop': [
    ['training_state', 1, 'a', 'take'],
    ['training_progress', 4, 'a', 'resync'],
    ['training_progress', 4, 'a', 'take'],
    ['training_progress', 5, 'a', 'take'],
  ],
  'another epoch means a restarted server: nothing of it counts before its snapshot': [
    ['training_state', 50, 'a', 'take'],
    ['training_progress', 3, 'b', 'resync'],
    ['training_state', 4, 'b', 'take'],
    ['training_progress', 5, 'b', 'take'],
    ['training_progress', 51, 'a', 'resync'],
  ],
  'events before any snapshot are not believed': [
    ['training_progress', 3, 'a', 'resync'],
    ['training_state', 3, 'a', 'take'],
  ],
  'a snapshot is believed even if its number is lower': [
    ['training_state', 9, 'a', 'take'],
    ['training_state', 2, 'a', 'take'],
    ['training_progress', 3, 'a', 'take'],
  ],
  'a heartbeat takes no number, but one that is ahead betrays a lost frame': [
    ['training_state', 2, 'a', 'take'],
    ['ping', 2, 'a', 'drop'],
    ['training_progress', 3, 'a', 'take'],
    ['ping', 5, 'a', 'resync'],
    ['ping', 5, 'a', 'drop'],
  ],
}

test.each(Object.entries(HISTORIES))('%s', (_name, history) => {
  let place = NOWHERE
  for (const [type, seq, epoch, expected] of history) {
    const answer = judge(place, { type, seq, epoch })
    expect([type, seq, epoch, answer.verdict]).toEqual([type, seq, epoch, expected])
    place = answer.place
  }
})
