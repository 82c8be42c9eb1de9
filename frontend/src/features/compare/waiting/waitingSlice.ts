/** An evaluation that waits for the run to end: of this window, and kept over a reload. */
import { createSlice, type PayloadAction } from '@reduxjs/toolkit'
import type { EvaluationStart } from '@/api/generated'
import { readOfWindow, writeOfWindow } from '@/lib/storage'

const KEY = 'evaluation-waiting'

export type WaitingState = { readonly evaluation: EvaluationStart | null }
type WithWaiting = { readonly waiting: WaitingState }

const waitingSlice = createSlice({
  name: 'waiting',
  initialState: (): WaitingState => ({ evaluation: readOfWindow(KEY, parse) ?? null }),
  reducers: {
    evaluationPostponed: (_, { payload }: PayloadAction<EvaluationStart>): WaitingState => ({ evaluation: payload }),
    evaluationReleased: (): WaitingState => ({ evaluation: null }),
  },
})

export const waitingReducer = waitingSlice.reducer
export const { evaluationPostponed, evaluationReleased } = waitingSlice.actions

export const selectPostponed = (state: WithWaiting): EvaluationStart | null => state.waiting.evaluation

export function keepPostponed(evaluation: EvaluationStart | null): void {
  writeOfWindow(KEY, evaluation)
}

function parse(value: unknown): EvaluationStart | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  return typeof (value as Partial<EvaluationStart>).adapter_name === 'string' ? (value as EvaluationStart) : undefined
}
