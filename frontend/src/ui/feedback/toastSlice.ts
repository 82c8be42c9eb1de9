/** Short messages about what the page does not already show. Capped; errors stay until read. */
import { createSlice, nanoid, type PayloadAction } from '@reduxjs/toolkit'

export type Toast = {
  readonly id: string
  readonly level: 'info' | 'good' | 'error'
  readonly message: string
  readonly hint?: string | null
  /** A button that does something: its words. What it does is kept in `toastActions`, by the toast's id. */
  readonly action?: string
  /** The next step: a page of the app. */
  readonly link?: { readonly label: string; readonly to: string }
  /** It leaves by itself when this is no longer so: a run that was in the way, a server that did not answer. */
  readonly cause?: 'run' | 'server'
}
export type ToastState = readonly Toast[]

export const TOAST_CAP = 4

const initialState: ToastState = []

const toastSlice = createSlice({
  name: 'toasts',
  initialState,
  reducers: {
    toastRaised: {
      prepare: (toast: Omit<Toast, 'id'>) => ({ payload: { ...toast, id: nanoid(8) } }),
      reducer(state, { payload }: PayloadAction<Toast>) {
        const others = state.filter((each) => each.message !== payload.message)
        return capped([...others, payload])
      },
    },
    toastDismissed: (state, { payload }: PayloadAction<string>) =>
      state.filter((each) => each.id !== payload),
    causeEnded: (state, { payload }: PayloadAction<NonNullable<Toast['cause']>>) =>
      state.some((each) => each.cause === payload) ? state.filter((each) => each.cause !== payload) : state,
  },
  selectors: { selectToasts: (state) => state },
})

/** Over the cap the oldest message that is not an error goes first. */
function capped(toasts: readonly Toast[]): Toast[] {
  const kept = [...toasts]
  while (kept.length > TOAST_CAP) {
    const spare = kept.findIndex((each) => each.level !== 'error')
    kept.splice(Math.max(spare, 0), 1)
  }
  return kept
}

export const toastReducer = toastSlice.reducer
export const { toastRaised, toastDismissed, causeEnded } = toastSlice.actions

/** What the buttons of toasts do: functions, which a store can't hold. */
export const toastActions = new Map<Toast['id'], () => unknown>()
export const { selectToasts } = toastSlice.selectors
