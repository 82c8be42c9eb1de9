/** One store for the app and for tests: makeStore(preloadedState). */
import { combineReducers, configureStore } from '@reduxjs/toolkit'
import { baseApi } from '@/api/baseApi'
import { handoffReducer } from '@/start/page/handoffSlice'
import { jobReducer } from '@/api/jobSlice'
import { runReducer } from '@/run/reducer/runSlice'
import { waitingReducer } from '@/features/compare/waiting/waitingSlice'
import { toastReducer } from '@/ui/feedback/toastSlice'

const rootReducer = combineReducers({
  [baseApi.reducerPath]: baseApi.reducer,
  run: runReducer,
  jobs: jobReducer,
  handoff: handoffReducer,
  toasts: toastReducer,
  waiting: waitingReducer,
})

export type RootState = ReturnType<typeof rootReducer>
export type AppStore = ReturnType<typeof makeStore>

export function makeStore(preloadedState?: Partial<RootState>) {
  return configureStore({
    reducer: rootReducer,
    middleware: (defaults) => defaults().concat(baseApi.middleware),
    ...(preloadedState ? { preloadedState } : {}),
  })
}
