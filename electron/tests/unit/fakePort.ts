/** An Electron made of memory: what the shell asked for is kept, and tests play the other side. */
import { EventEmitter } from 'node:events'
import type {
  BrowserWindowConstructorOptions,
  IpcMainInvokeEvent,
  MenuItemConstructorOptions,
  MessageBoxOptions,
  OpenDialogOptions,
} from 'electron'

import type {
  ContentsPort,
  DialogsPort,
  ElectronPort,
  Preventable,
  SessionPort,
  WindowPort,
} from '../../src/port'

type OpenHandler = Parameters<ContentsPort['setWindowOpenHandler']>[0]
type Handler = (event: IpcMainInvokeEvent, ...args: unknown[]) => unknown

/** An event that a listener may prevent. */
export function preventable(): Preventable & { prevented: boolean } {
  return {
    prevented: false,
    preventDefault() {
      this.prevented = true
    },
  }
}

export class FakeContents extends EventEmitter {
  readonly sent: unknown[] = []
  reloads = 0
  cleared = 0
  openHandler: OpenHandler | null = null
  readonly navigationHistory = {
    clear: () => {
      this.cleared += 1
    },
  }

  reload() {
    this.reloads += 1
  }

  send(channel: string, ...args: unknown[]) {
    this.sent.push([channel, ...args])
  }

  setWindowOpenHandler(handler: OpenHandler) {
    this.openHandler = handler
  }

  /** Plays a navigation of the page; true when it was let through. */
  navigate(event: 'will-navigate' | 'will-frame-navigate' | 'will-redirect', url: string): boolean {
    const details = { ...preventable(), url }
    this.emit(event, details)
    return !details.prevented
  }
}

export class FakeWindow extends EventEmitter {
  readonly webContents = new FakeContents()
  readonly loaded: string[] = []
  visible = false
  destroyed = false
  maximized = false
  minimized = false
  focused = false
  readonly progress: number[] = []

  constructor(readonly options: BrowserWindowConstructorOptions) {
    super()
  }

  async loadURL(url: string) {
    this.loaded.push(url)
    this.emit('ready-to-show')
    this.emit('loaded', url)
  }

  show() {
    this.visible = true
  }

  hide() {
    this.visible = false
  }

  focus() {
    this.emit('focused')
  }

  restore() {
    this.minimized = false
  }

  maximize() {
    this.maximized = true
  }

  isDestroyed() {
    return this.destroyed
  }

  isFocused() {
    return this.focused
  }

  setProgressBar(fraction: number) {
    this.progress.push(fraction)
  }

  isMaximized() {
    return this.maximized
  }

  isMinimized() {
    return this.minimized
  }

  getNormalBounds() {
    return { x: 40, y: 30, width: 1200, height: 800 }
  }

  /** As Electron: asks the listeners, and is gone unless one of them prevented it. */
  close(): boolean {
    const event = preventable()
    this.emit('close', event)
    this.destroyed = !event.prevented
    return this.destroyed
  }
}

class FakeApp extends EventEmitter {
  locked = true
  readonly isPackaged = false
  enableSandbox() {}

  getPath() {
    return ''
  }

  requestSingleInstanceLock() {
    return this.locked
  }

  setName() {}

  setAboutPanelOptions() {}

  readonly protocols: string[] = []
  setAsDefaultProtocolClient(protocol: string) {
    this.protocols.push(protocol)
    return true
  }

  readonly badges: number[] = []
  setBadgeCount(count = 0) {
    this.badges.push(count)
    return true
  }

  async whenReady() {}
}

export type FakePort = ReturnType<typeof fakePort>

export function fakePort() {
  const events = new EventEmitter()
  const windows: FakeWindow[] = []
  const handlers = new Map<string, Handler>()
  const asked: MessageBoxOptions[] = []
  const opened: OpenDialogOptions[] = []
  const external: string[] = []
  const errors: { title: string; content: string }[] = []
  const answers = {
    /** The button pressed in the next question. */
    button: 0,
    open: { canceled: true, filePaths: [] as string[] },
    save: { canceled: true, filePath: '' },
    clipboard: '',
  }
  const session: { [K in keyof SessionPort]?: Parameters<SessionPort[K]>[0] } = {}
  let menu: MenuItemConstructorOptions[] = []
  const held = new Set<number>()
  const kinds: string[] = []
  const blockers = { kinds, held: () => held.size }
  const notified: { title: string; text: string; click: () => void }[] = []
  const popups: MenuItemConstructorOptions[][] = []
  const app = Object.assign(new FakeApp(), {
    /** As Electron: asks `before-quit`, closes the windows, and only then ends. */
    quit: () => {
      const event = preventable()
      app.emit('before-quit', event)
      if (!event.prevented && windows.every((window) => window.close())) events.emit('exit', 0)
    },
    exit: (code = 0) => {
      events.emit('exit', code)
    },
  })
  const dialogs: DialogsPort = {
    openFile: async (options) => {
      opened.push(options)
      return answers.open
    },
    saveFile: async () => answers.save,
    ask: async (options) => {
      asked.push(options)
      return { response: answers.button, checkboxChecked: false }
    },
  }
  const port = {
    app,
    ipcMain: {
      handle: (channel, handler: Handler) => {
        handlers.set(channel, handler)
      },
    },
    shell: {
      openExternal: async (url) => {
        external.push(url)
      },
      openPath: async (path) => {
        external.push(path)
        return ''
      },
    },
    clipboard: {
      readText: async () => answers.clipboard,
      writeText: async (text) => {
        answers.clipboard = text
      },
    },
    powerSaveBlocker: {
      start: (kind) => {
        kinds.push(kind)
        held.add(kinds.length)
        return kinds.length
      },
      stop: (id) => held.delete(id),
    },
    notify: (title, text, click) => {
      notified.push({ title, text, click })
    },
    showErrorBox: (title, content) => {
      errors.push({ title, content })
    },
    setMenu: (template) => {
      menu = template
    },
    popupMenu: (template) => {
      popups.push(template)
    },
    createWindow: (options) => {
      const window = new FakeWindow(options)
      windows.push(window)
      return { window: window satisfies WindowPort, dialogs }
    },
    defaultSession: () => ({
      setDevicePermissionHandler: (handler) => {
        session.setDevicePermissionHandler = handler
      },
      setPermissionCheckHandler: (handler) => {
        session.setPermissionCheckHandler = handler
      },
      setPermissionRequestHandler: (handler) => {
        session.setPermissionRequestHandler = handler
      },
    }),
    workAreas: () => [{ x: 0, y: 0, width: 1920, height: 1080 }],
  } satisfies ElectronPort

  return {
    port,
    windows,
    handlers,
    asked,
    opened,
    external,
    errors,
    answers,
    session,
    menu: () => menu,
    popups,
    blockers,
    notified,
    badges: app.badges,
    /** The exit code, once the app has ended. */
    exited: new Promise<number>((resolve) => {
      events.once('exit', resolve)
    }),
  }
}

/** A call as it arrives from a page at `url`; in a subframe when `parent` is given. */
export function callFrom(url: string | null, parent: unknown = null): IpcMainInvokeEvent {
  const senderFrame = url === null ? null : { url, parent }
  return { senderFrame } as IpcMainInvokeEvent
}
