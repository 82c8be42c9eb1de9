/**
 * A stand-in for Electron, not Electron: it runs the unchanged built `main.cjs` and `preload.cjs`
 * under plain Node with a real Chromium window, because no Electron binary can be had on the build
 * machine. Started as `node -r electron-shim.cjs main.cjs`. A test is the parent process: it sends
 * `Order`s and gets `News` over Node's own message channel.
 *
 * What it can't show is listed in docs/desktop.md.
 */
import { EventEmitter } from 'node:events'
import Module from 'node:module'
import { join } from 'node:path'
import type { IpcMainInvokeEvent, MenuItemConstructorOptions } from 'electron'

import type { StandInModule } from '../../src/port'
import { StandInWindow, type Handlers } from './standInWindow'

/** From the test to the stand-in. */
export type Order =
  | { readonly press: string }
  | { readonly closeWindow: true }
  | { readonly secondInstance: true; readonly argv?: readonly string[] }
  | { readonly answers: Partial<Answers> }

/** From the stand-in to the test. */
export type News =
  | { readonly loaded: string; readonly debugPort: number }
  | { readonly external: string }
  | { readonly prevented: string }
  | { readonly asked: string }
  | { readonly errorBox: string }
  | { readonly notified: string }
  | { readonly blockers: number }
  | { readonly progress: number }

export type Answers = {
  readonly open: string | null
  readonly save: string | null
  /** The label of the button to press in a question. */
  readonly button: string
}

const userData = process.env['SHIM_USER_DATA'] ?? ''
const handlers: Handlers = new Map()
const windows: StandInWindow[] = []
let answers: Answers = { open: null, save: null, button: 'Cancel' }
let menu: readonly MenuItemConstructorOptions[] = []
let clipboardText = ''
let blockers = 0

const tell = (news: News) => process.send?.(news)

class StandInApp extends EventEmitter {
  /** With the resources of a package beside it. */
  readonly isPackaged = process.env['SHIM_RESOURCES'] !== undefined

  enableSandbox() {}
  setName() {}
  setAboutPanelOptions() {}

  setAsDefaultProtocolClient() {
    return true
  }

  setBadgeCount() {
    return true
  }

  async whenReady() {}

  getPath() {
    return join(userData, 'user-data')
  }

  requestSingleInstanceLock() {
    return process.env['SHIM_SECOND_INSTANCE'] === undefined
  }

  /** As Electron: `before-quit` may prevent it, then each window's `close` may; then it ends. */
  quit() {
    let prevented = false
    this.emit('before-quit', { preventDefault: () => (prevented = true) })
    if (prevented || !windows.every((window) => window.close())) return
    this.exit(0)
  }

  exit(code = 0) {
    void Promise.all(windows.map((window) => window.destroyed())).then(() => process.exit(code))
  }
}

const app = new StandInApp()
Object.assign(process, { resourcesPath: process.env['SHIM_RESOURCES'] })

const electron = {
  app,
  BrowserWindow: class extends StandInWindow {
    constructor(options: ConstructorParameters<StandInModule['BrowserWindow']>[0]) {
      super({ options, handlers, profile: join(userData, 'profile'), tell, quit: () => app.quit() })
      windows.push(this)
    }
  },
  clipboard: {
    readText: async () => clipboardText,
    writeText: async (text) => {
      clipboardText = text
    },
  },
  powerSaveBlocker: {
    start: () => {
      blockers += 1
      tell({ blockers })
      return blockers
    },
    stop: () => {
      blockers -= 1
      tell({ blockers })
      return true
    },
  },
  Notification: class {
    constructor(private readonly options: { title: string; body: string }) {}
    on() {
      return this
    }
    show() {
      tell({ notified: `${this.options.title}: ${this.options.body}` })
    }
  },
  dialog: {
    showErrorBox: (_title, content) => {
      tell({ errorBox: content })
    },
    showOpenDialog: async () => ({
      canceled: answers.open === null,
      filePaths: answers.open === null ? [] : [answers.open],
    }),
    showSaveDialog: async () => ({ canceled: answers.save === null, filePath: answers.save ?? '' }),
    showMessageBox: async (_window, { message, buttons = [], cancelId = 0 }) => {
      tell({ asked: message })
      const pressed = buttons.indexOf(answers.button)
      return { response: pressed < 0 ? cancelId : pressed, checkboxChecked: false }
    },
  },
  ipcMain: {
    handle: (channel, handler: (event: IpcMainInvokeEvent, ...args: unknown[]) => unknown) => {
      handlers.set(channel, handler)
    },
  },
  Menu: {
    buildFromTemplate: (template) => {
      menu = template
      return template
    },
    setApplicationMenu: () => undefined,
  },
  screen: { getAllDisplays: () => [{ workArea: { x: 0, y: 0, width: 1920, height: 1080 } }] },
  session: {
    defaultSession: {
      setDevicePermissionHandler: () => undefined,
      setPermissionCheckHandler: () => undefined,
      setPermissionRequestHandler: () => undefined,
    },
  },
  shell: {
    openExternal: async (url) => {
      tell({ external: url })
    },
    openPath: async (path) => {
      tell({ external: path })
      return ''
    },
  },
} satisfies StandInModule

/** Presses a menu item by its shortcut or, where it has none, its label. */
function press(name: string, items: readonly MenuItemConstructorOptions[] = menu): void {
  for (const item of items) {
    if (Array.isArray(item.submenu)) press(name, item.submenu as MenuItemConstructorOptions[])
    if (item.accelerator !== name && item.label !== name && item.role !== name) continue
    if (item.role === 'quit') app.quit()
    else (item.click as (() => void) | undefined)?.()
  }
}

process.on('message', (order: Order) => {
  if ('press' in order) press(order.press)
  if ('closeWindow' in order) windows[0]?.close()
  if ('secondInstance' in order) app.emit('second-instance', {}, order.argv ?? [])
  if ('answers' in order) answers = { ...answers, ...order.answers }
})
process.on('disconnect', () => process.exit(70)) // the test is gone; leave no Chromium behind

type Loader = { _load: (request: string, ...rest: unknown[]) => unknown }
const loader = Module as unknown as Loader
const load = loader._load.bind(Module)
loader._load = (request, ...rest) => (request === 'electron' ? electron : load(request, ...rest))

