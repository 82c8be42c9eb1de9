/**
 * What the page sees of the desktop: `window.droid`. Types only, so page and preload share them
 * without sharing code. `frontend/src/lib/bridge.ts` says the same; a type test compares the two.
 */

/** As the page's routes spell them. */
export type PageId = 'setup' | 'enhanced-setup' | 'training' | 'results' | 'compare' | 'fusion'

/** What the native menu asks of the page. */
export type MenuCommand =
  | 'open-training-data'
  | 'start-training'
  | 'stop-training'
  | 'find'
  | 'toggle-sidebar'
  | { readonly page: PageId }
  /** A link to a run: `droid-finetuning://session/<id>`. */
  | { readonly session: string }

export type FileFilter = {
  readonly name: string
  /** Without the dot: `['jsonl', 'json']`; `['*']` is every file. */
  readonly extensions: readonly string[]
}

export type OpenFileOptions = {
  readonly title?: string
  readonly filters?: readonly FileFilter[]
  /** A folder or file to start at. One that doesn't exist is ignored by the dialog. */
  readonly startIn?: string
}

export type OpenFolderOptions = Pick<OpenFileOptions, 'title' | 'startIn'>

/** A run that lives: how far it is, from 0 to 1 or null, and whether the machine is to stay awake. */
export type ShownRun = { readonly fraction: number | null; readonly awake: boolean }

export type Bridge = {
  /** As Node names it: `darwin`, `linux`, `win32`. */
  readonly platform: string
  /** The native open dialog: an absolute path, or null when it was cancelled. */
  readonly openFile: (options?: OpenFileOptions) => Promise<string | null>
  readonly openFolder: (options?: OpenFolderOptions) => Promise<string | null>
  /** Asks where, then writes `text` there. The path written, or null when cancelled. */
  readonly saveFile: (name: string, text: string) => Promise<string | null>
  readonly readClipboard: () => Promise<string>
  readonly writeText: (text: string) => Promise<void>
  /** Where a dropped file lies, which a sandboxed page can't see; null when it is not a file. */
  readonly pathOfFile: (file: File) => string | null
  /** Shows the run on the Dock or task bar; null: none lives. */
  readonly showRun: (run: ShownRun | null) => Promise<void>
  /** A message of the system, and a mark on the Dock until the window is looked at. */
  readonly notify: (title: string, text: string) => Promise<void>
  /** Calls `listener` for each menu command until the returned function is called. */
  readonly onMenu: (listener: (command: MenuCommand) => void) => () => void
}
