/** What the event stream brings into the store; each slice takes from it what is its own. */
import { createAction } from '@reduxjs/toolkit'
import type { Frame } from '@/api/frames'

export const framesReceived = createAction<{ readonly frames: readonly Frame[]; readonly at: number }>('stream/framesReceived')
