/** The desktop app from start to end, over the port: one window, one server, one way out. */
import type { MenuCommand } from './bridge'
import { findBackend, startBackend, type Backend, type Launch, type Program } from './server/backend'
import { desktopCalls } from './calls'
import { editMenu } from './contextMenu'
import type { Progress } from './server/environment'
import { answerCalls, linkedSession, originOf, type Messages } from './ipc'
import { isLoadingUrl, loadingUrl } from './loading'
import type { Log } from './log'
import { menuTemplate } from './menu'
import type { ElectronPort, OpenedWindow, Preventable } from './port'
import { mayQuit } from './quit'
import { entrance } from './server/token'
import { watchBackend, type Watch } from './server/watch'
import {
  guardNavigation,
  guardPermissions,
  readRemembered,
  remember,
  windowOptions,
} from './window'

export type ShellOptions = {
  readonly platform: NodeJS.Platform
  readonly preload: string
  readonly windowFile: string
  readonly log: Log
  readonly launch: Launch
  /** Makes what the server runs with, where a package has to; the launch's own otherwise. */
  readonly prepare?: (how: {
    readonly progress: Progress
    readonly signal: AbortSignal
  }) => Promise<Program>
  /** The command line: a link of ours may stand in it. */
  readonly argv: readonly string[]
  /** Servers that may run already; the first that answers is used, and never stopped. */
  readonly runningUrls: () => readonly (string | undefined)[]
  /** Tells of SIGINT, SIGTERM and SIGHUP. */
  readonly onSignal: (listener: (signal: string) => void) => void
}

/** Resolves when the page is loaded, or when the app is on its way out. */
export async function run(port: ElectronPort, options: ShellOptions): Promise<void> {
  if (!port.app.requestSingleInstanceLock()) {
    port.app.quit() // the first instance shows its window instead
    return
  }
  await new DesktopShell(port, options).start()
}

class DesktopShell {
  private opened: OpenedWindow | null = null
  private watch: Watch | null = null
  private starting: Promise<void> | null = null
  private loading: Promise<void> = Promise.resolve()
  private readonly aborted = new AbortController()
  /** `asking` while the quit question is open, `leaving` once nothing may hold it up. */
  private way: 'open' | 'asking' | 'leaving' = 'open'
  /** The server is gone, if it was ours: the app may end. */
  private serverStopped = false
  private link: string | null = null

  constructor(
    private readonly port: ElectronPort,
    private readonly options: ShellOptions,
  ) {}

  async start(): Promise<void> {
    const { app } = this.port
    app.on('second-instance', (_event, argv) => {
      this.show()
      this.follow(argv)
    })
    app.on('open-url', (event, url) => {
      event.preventDefault()
      this.follow([url])
    })
    app.on('activate', () => this.show())
    app.on('before-quit', (event) => this.beforeQuit(event))
    this.options.onSignal((signal) => {
      // Nobody may be there to answer a question; the run goes on, as it always can.
      this.options.log.write('shell', `${signal}: leaving.`)
      void this.leave(0)
    })
    await app.whenReady()
    app.setAsDefaultProtocolClient('droid-finetuning')
    app.setAboutPanelOptions({ applicationName: 'Droid FineTuning', copyright: 'MIT licence' })
    this.openWindow()
    this.starting = this.startServer()
    await this.starting
    await this.showPage()
    this.follow(this.link === null ? this.options.argv : [this.link])
  }

  /** Leads the page to the run that a link names; one that comes before the page is there waits. */
  private follow(words: readonly string[]): void {
    const link = words.find((word) => linkedSession(word) !== null)
    if (link === undefined) return
    if (this.origin() === null) this.link = link
    else this.send({ session: linkedSession(link) ?? '' })
  }

  private openWindow(): void {
    const { port, options } = this
    const trustedOrigin = () => this.origin()
    guardPermissions(port.defaultSession(), trustedOrigin)
    const remembered = readRemembered(options.windowFile)
    this.opened = port.createWindow(windowOptions(options.preload, remembered, port.workAreas()))
    const { window, dialogs } = this.opened
    guardNavigation(window, { trustedOrigin, shell: port.shell })
    answerCalls({
      ipcMain: port.ipcMain,
      trustedOrigin,
      calls: desktopCalls({ port, dialogs: () => dialogs, window, show: () => this.show() }),
      onRefused: (what) => options.log.write('shell', `Refused ${what}.`),
    })
    if (remembered?.maximized) window.maximize()
    window.once('ready-to-show', () => window.show())
    window.on('close', (event) => this.closing(event))
    // The page may ask "leave?" by itself; once the user has decided here, it is not asked again.
    window.webContents.on('will-prevent-unload', (event) => {
      if (this.way === 'leaving') event.preventDefault()
    })
    window.webContents.on('context-menu', (_event, params) => {
      const menu = editMenu(params)
      if (menu.length > 0) port.popupMenu(menu)
    })
    window.webContents.on('render-process-gone', (_event, { reason }) => this.pageGone(reason))
    port.setMenu(this.menu())
    void this.load(loadingUrl())
  }

  private async startServer(): Promise<void> {
    const { prepare, log } = this.options
    try {
      const { signal } = this.aborted
      const running = await this.runningServer()
      const program = running ? {} : await prepare?.({ progress: this.progress(), signal })
      const launch = { ...this.options.launch, ...program }
      if (program) void this.load(loadingUrl())
      const backend = running ?? (await startBackend(launch, { signal }))
      const whose = backend.pid === null ? 'running already' : `process ${backend.pid}`
      log.write('shell', `The local server is ${backend.url}, ${whose}.`)
      this.watch = watchBackend(backend, {
        restart: (port) => startBackend(launch, { port, signal }),
        onGivenUp: (reason) => this.fail(reason),
        log,
      })
    } catch (error) {
      if (!this.aborted.signal.aborted) {
        this.fail(error instanceof Error ? error.message : String(error))
      }
    }
  }

  /** Draws what is being prepared, twice a second at most. */
  private progress(): Progress {
    let last = ''
    let at = 0
    return (step, detail) => {
      if (step === last && performance.now() - at < 500) return
      last = step
      at = performance.now()
      void this.load(loadingUrl(step, detail))
    }
  }

  private async showPage(): Promise<void> {
    if (this.watch === null || this.way === 'leaving') return
    await this.load(entrance(this.watch.current().url, this.token()))
    this.opened?.window.webContents.navigationHistory.clear() // no way back to the loading page
  }

  private async runningServer(): Promise<Backend | null> {
    for (const url of this.options.runningUrls()) {
      const found = await findBackend(url, this.token())
      if (found) return found
    }
    return null
  }

  /** One load at a time: of two at once, either could be the one that stays. */
  private load(url: string): Promise<void> {
    this.loading = this.loading.then(async () => {
      try {
        await this.opened?.window.loadURL(url)
      } catch (error) {
        const [reason = ''] = String(error).split('\n')
        this.options.log.write('shell', `Loading the page: ${reason.slice(0, 300)}`)
        // Aborted is what Electron calls a load that the page itself replaced by another.
        if (!isLoadingUrl(url) && !reason.includes('ERR_ABORTED')) {
          this.fail('The page could not be loaded from the local server.')
        }
      }
    })
    return this.loading
  }

  private menu() {
    const { port, options } = this
    return menuTemplate(options.platform, {
      send: (command) => this.send(command),
      reload: () => this.opened?.window.webContents.reload(),
      openInBrowser: () => {
        const origin = this.origin()
        if (origin !== null) void port.shell.openExternal(entrance(origin, this.token()))
      },
      showLogs: () => void port.shell.openPath(options.log.path),
    })
  }

  private send(command: MenuCommand): void {
    if (this.origin() === null) return // still loading: nobody would hear it
    this.show()
    const channel: keyof Messages = 'menu:command'
    this.opened?.window.webContents.send(channel, command)
  }

  private show(): void {
    const window = this.opened?.window
    if (!window || window.isDestroyed()) return
    if (window.isMinimized()) window.restore()
    window.show()
    window.focus()
  }

  private token(): string | undefined {
    return this.options.launch.token()
  }

  private origin(): string | null {
    return this.watch === null ? null : originOf(this.watch.current().url)
  }

  /** Closing the only window leaves the app; on a Mac it hides, as Mac windows do. */
  private closing(event: Preventable): void {
    this.rememberWindow()
    if (this.way === 'leaving') return
    event.preventDefault()
    if (this.options.platform === 'darwin') this.opened?.window.hide()
    else this.port.app.quit()
  }

  /** Held until the server has ended, also when a second quit comes while it still does. */
  private beforeQuit(event: Preventable): void {
    if (this.serverStopped) return
    event.preventDefault()
    if (this.way !== 'open') return
    this.way = 'asking'
    void this.askAndLeave()
  }

  private async askAndLeave(): Promise<void> {
    const url = this.watch?.current().url
    if (url !== undefined && this.opened) {
      const { ask } = this.opened.dialogs
      const showing: typeof ask = (message) => {
        this.show() // a question on a hidden window would never be seen
        return ask(message)
      }
      if (!(await mayQuit({ url, token: this.token(), ask: showing, log: this.options.log }))) {
        if (this.way === 'asking') this.way = 'open'
        return
      }
    }
    await this.leave(0)
  }

  /** Window remembered, server stopped if it is ours, then the app ends. Once. */
  private async leave(code: number): Promise<void> {
    if (this.way === 'leaving') return
    this.way = 'leaving'
    this.rememberWindow()
    this.aborted.abort()
    await this.starting
    await this.watch?.stop()
    this.serverStopped = true
    this.options.log.write('shell', 'Goodbye.')
    if (code === 0) this.port.app.quit()
    else this.port.app.exit(code)
  }

  private fail(reason: string): void {
    if (this.way === 'leaving') return
    const { log } = this.options
    log.write('shell', reason)
    this.port.showErrorBox(
      'Droid FineTuning can’t go on',
      `${reason}\n\nA training run that is in progress goes on by itself.\nThe log is ${log.path}`,
    )
    void this.leave(1)
  }

  private pageGone(reason: string): void {
    this.options.log.write('shell', `The page's process is gone: ${reason}.`)
    if (this.way !== 'leaving' && reason !== 'clean-exit') this.opened?.window.webContents.reload()
  }

  private rememberWindow(): void {
    const window = this.opened?.window
    if (!window || window.isDestroyed()) return
    try {
      remember(this.options.windowFile, window)
    } catch (error) {
      this.options.log.write('shell', `The window's size was not kept: ${String(error)}`)
    }
  }
}
