/**
 * What the page sees of the desktop: `window.droid`. Types only, so page and preload share them
 * without sharing code. In a plain browser `window.droid` is absent and the page does without.
 */

export type PageId = 'setup' | 'enhanced' | 'training' | 'results' | 'compare' | 'fusion'

/** What the native menu asks of the page. */
export type MenuCommand =
  | 'open-training-data'
  | 'start-training'
  | 'stop-training'
  | 'find'
  | { readonly page: PageId }

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

export type DroidBridge = {
  /** As Node names it: `darwin`, `linux`, `win32`. */
  readonly platform: string
  /** The chosen file's absolute path; null when the dialog was cancelled. */
  readonly openFile: (options?: OpenFileOptions) => Promise<string | null>
  readonly openFolder: (options?: OpenFolderOptions) => Promise<string | null>
  /** Asks where, then writes `text` there. The path written, or null when cancelled. */
  readonly saveFile: (name: string, text: string) => Promise<string | null>
  readonly readClipboard: () => Promise<string>
  readonly writeText: (text: string) => Promise<void>
  /** Calls `listener` for each menu command until the returned function is called. */
  readonly onMenu: (listener: (command: MenuCommand) => void) => () => void
}
