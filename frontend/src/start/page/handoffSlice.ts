/** What one page asks of another: the pages do not know each other, so it passes through here. */
import { createSlice, type PayloadAction } from '@reduxjs/toolkit'

/** A session to continue: the dialog asks from where and how far. */
export type ResumeAsked = { readonly sessionId: string; readonly name: string }
export type StartPath = '/setup' | '/enhanced-setup'

/** A session's configuration to fill a start form with. */
export type SetupAsked = { readonly name: string; readonly config: Readonly<Record<string, unknown>> }

/** Data files to train with; `method` is one of Enhanced Setup. The rest of the form stays as it is. */
export type FileAsked = { readonly path: string; readonly valid?: string; readonly method: string | null }

export type HandoffState = { readonly resume: ResumeAsked | null; readonly setup: SetupAsked | null; readonly file: FileAsked | null }
type WithHandoff = { readonly handoff: HandoffState }

/** Whose form it is: only Enhanced Setup names a method. */
export function handedTo({ config }: SetupAsked): StartPath {
  return typeof config['training_method'] === 'string' ? '/enhanced-setup' : '/setup'
}

/** Whose form takes the file. */
export function fileHandedTo({ method }: FileAsked): StartPath {
  return method === null ? '/setup' : '/enhanced-setup'
}

const initialState: HandoffState = { resume: null, setup: null, file: null }

const handoffSlice = createSlice({
  name: 'handoff',
  initialState,
  reducers: {
    resumeAsked: (state, { payload }: PayloadAction<ResumeAsked>) => ({ ...state, resume: payload }),
    resumeClosed: (state) => ({ ...state, resume: null }),
    setupAsked: (state, { payload }: PayloadAction<SetupAsked>) => ({ ...state, setup: payload }),
    setupFilled: (state) => ({ ...state, setup: null }),
    fileAsked: (state, { payload }: PayloadAction<FileAsked>) => ({ ...state, file: payload }),
    fileTaken: (state) => ({ ...state, file: null }),
  },
})

export const handoffReducer = handoffSlice.reducer
export const { resumeAsked, resumeClosed, setupAsked, setupFilled, fileAsked, fileTaken } = handoffSlice.actions

export const selectResumeAsked = (state: WithHandoff): ResumeAsked | null => state.handoff.resume
export const selectSetupAsked = (state: WithHandoff): SetupAsked | null => state.handoff.setup
export const selectFileAsked = (state: WithHandoff): FileAsked | null => state.handoff.file
