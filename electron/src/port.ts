/**
 * The part of Electron that this shell uses, as types. `main.ts` fills the port with the real
 * thing, the unit tests with a fake, and the stand-in (`tests/stand-in`) offers `StandInModule`
 * under the name "electron": a method added here fails to compile in all three until it is there.
 *
 * Electron's overloaded `on` is narrowed by hand; the compiler still compares it with Electron's
 * own types where `main.ts` passes the real objects.
 */
import type {
  App,
  BrowserWindow,
  BrowserWindowConstructorOptions,
  Clipboard,
  IpcMain,
  MenuItemConstructorOptions,
  MessageBoxOptions,
  MessageBoxReturnValue,
  NavigationHistory,
  OpenDialogOptions,
  OpenDialogReturnValue,
  PowerSaveBlocker,
  Rectangle,
  SaveDialogOptions,
  SaveDialogReturnValue,
  Session,
  Shell,
  WebContents,
} from 'electron'

export type Preventable = { preventDefault(): void }
export type Navigation = Preventable & { readonly url: string }

/** Where the right mouse button was pressed: of Electron's `ContextMenuParams`. */
export type ContextParams = {
  readonly isEditable: boolean
  readonly selectionText: string
  readonly editFlags: Readonly<Record<'canCut' | 'canCopy' | 'canPaste' | 'canSelectAll', boolean>>
}

export interface AppPort
  extends Pick<
    App,
    | 'enableSandbox'
    | 'exit'
    | 'getPath'
    | 'isPackaged'
    | 'quit'
    | 'requestSingleInstanceLock'
    | 'setAboutPanelOptions'
    | 'setAsDefaultProtocolClient'
    | 'setBadgeCount'
    | 'setName'
    | 'whenReady'
  > {
  on(event: 'before-quit', listener: (event: Preventable) => void): unknown
  on(event: 'second-instance', listener: (event: unknown, argv: string[]) => void): unknown
  on(event: 'open-url', listener: (event: Preventable, url: string) => void): unknown
  on(event: 'activate', listener: () => void): unknown
}

export interface ContentsPort
  extends Pick<WebContents, 'reload' | 'send' | 'setWindowOpenHandler'> {
  readonly navigationHistory: Pick<NavigationHistory, 'clear'>
  on(event: 'will-navigate', listener: (details: Navigation) => void): unknown
  on(event: 'will-frame-navigate', listener: (details: Navigation) => void): unknown
  on(event: 'will-redirect', listener: (details: Navigation) => void): unknown
  on(event: 'will-prevent-unload', listener: (event: Preventable) => void): unknown
  on(event: 'context-menu', listener: (event: unknown, params: ContextParams) => void): unknown
  on(
    event: 'render-process-gone',
    listener: (event: unknown, details: { readonly reason: string }) => void,
  ): unknown
}

export interface WindowPort
  extends Pick<
    BrowserWindow,
    | 'focus'
    | 'getNormalBounds'
    | 'hide'
    | 'isDestroyed'
    | 'isFocused'
    | 'isMaximized'
    | 'isMinimized'
    | 'loadURL'
    | 'maximize'
    | 'restore'
    | 'setProgressBar'
    | 'show'
  > {
  readonly webContents: ContentsPort
  on(event: 'close', listener: (event: Preventable) => void): unknown
  on(event: 'focus', listener: () => void): unknown
  once(event: 'ready-to-show', listener: () => void): unknown
}

/** Dialogs that belong to one window. */
export interface DialogsPort {
  openFile(options: OpenDialogOptions): Promise<OpenDialogReturnValue>
  saveFile(options: SaveDialogOptions): Promise<SaveDialogReturnValue>
  ask(options: MessageBoxOptions): Promise<MessageBoxReturnValue>
}

export type SessionPort = Pick<
  Session,
  'setDevicePermissionHandler' | 'setPermissionCheckHandler' | 'setPermissionRequestHandler'
>

export type OpenedWindow = { readonly window: WindowPort; readonly dialogs: DialogsPort }

export interface ElectronPort {
  readonly app: AppPort
  readonly ipcMain: Pick<IpcMain, 'handle'>
  readonly shell: Pick<Shell, 'openExternal' | 'openPath'>
  readonly clipboard: Pick<Clipboard, 'readText' | 'writeText'>
  readonly powerSaveBlocker: Pick<PowerSaveBlocker, 'start' | 'stop'>
  /** A message of the system; `onClick` when it is pressed. */
  notify(title: string, text: string, onClick: () => void): void
  showErrorBox(title: string, content: string): void
  setMenu(template: MenuItemConstructorOptions[]): void
  /** A menu where the mouse is. */
  popupMenu(template: MenuItemConstructorOptions[]): void
  createWindow(options: BrowserWindowConstructorOptions): OpenedWindow
  /** Only after the app is ready: Electron has no session and no screens before. */
  defaultSession(): SessionPort
  workAreas(): readonly Rectangle[]
}

/** The module "electron" as the stand-in has to offer it, so that the built `main.cjs` runs. */
export interface StandInModule {
  readonly app: AppPort
  readonly ipcMain: Pick<IpcMain, 'handle'>
  readonly shell: Pick<Shell, 'openExternal' | 'openPath'>
  readonly clipboard: Pick<Clipboard, 'readText' | 'writeText'>
  readonly powerSaveBlocker: Pick<PowerSaveBlocker, 'start' | 'stop'>
  readonly Notification: new (options: { title: string; body: string }) => {
    on(event: 'click', listener: () => void): unknown
    show(): void
  }
  readonly dialog: {
    showErrorBox(title: string, content: string): void
    showOpenDialog(window: WindowPort, options: OpenDialogOptions): Promise<OpenDialogReturnValue>
    showSaveDialog(window: WindowPort, options: SaveDialogOptions): Promise<SaveDialogReturnValue>
    showMessageBox(window: WindowPort, options: MessageBoxOptions): Promise<MessageBoxReturnValue>
  }
  readonly Menu: {
    buildFromTemplate(template: MenuItemConstructorOptions[]): unknown
    setApplicationMenu(menu: unknown): void
  }
  readonly session: { readonly defaultSession: SessionPort }
  readonly screen: { getAllDisplays(): { readonly workArea: Rectangle }[] }
  readonly BrowserWindow: new (options: BrowserWindowConstructorOptions) => WindowPort
}
