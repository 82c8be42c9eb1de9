/** The stand-in's BrowserWindow: a real Chromium app window, driven by Playwright. */
import { EventEmitter } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BrowserWindowConstructorOptions, IpcMainInvokeEvent } from 'electron'
import { chromium, type BrowserContext, type Frame, type Page, type Request, type Route } from 'playwright-core'

import type { ContentsPort, WindowPort } from '../../src/port'
import type { News } from './electronShim'
import { preloadScript } from './preloadHost'

export type Handlers = Map<string, (event: IpcMainInvokeEvent, ...args: unknown[]) => unknown>

type OpenHandler = Parameters<ContentsPort['setWindowOpenHandler']>[0]

export type WindowSetup = {
  readonly options: BrowserWindowConstructorOptions
  readonly handlers: Handlers
  readonly profile: string
  readonly tell: (news: News) => unknown
  readonly quit: () => void
}

const FLAGS = [
  '--app=about:blank',
  '--remote-debugging-port=0',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--test-type',
]

class StandInContents extends EventEmitter implements ContentsPort {
  openHandler: OpenHandler | null = null
  readonly navigationHistory = { clear: () => undefined }

  constructor(private readonly page: () => Page | null) {
    super()
  }

  reload() {
    void this.page()?.reload()
  }

  send(channel: string, ...args: unknown[]) {
    const call = `window.__shimHear?.(...${JSON.stringify([channel, ...args])})`
    void this.page()?.evaluate(call)
  }

  setWindowOpenHandler(handler: OpenHandler) {
    this.openHandler = handler
  }
}

export class StandInWindow extends EventEmitter implements WindowPort {
  readonly webContents = new StandInContents(() => this.page)
  private context: BrowserContext | null = null
  private page: Page | null = null
  private launching: Promise<Page> | null = null
  private expected: string | null = null
  private gone = false

  constructor(private readonly setup: WindowSetup) {
    super()
    refuseUnsafe(setup.options)
  }

  async loadURL(url: string) {
    this.launching ??= this.launch()
    const page = await this.launching
    this.expected = url // a load by the program is not a navigation by the page
    await page.goto(url)
    this.expected = null
    this.emit('ready-to-show')
    this.setup.tell({ loaded: page.url(), debugPort: debugPort(this.setup.profile) })
  }

  /** False when a listener prevented it. */
  close(): boolean {
    let prevented = false
    this.emit('close', { preventDefault: () => (prevented = true) })
    if (!prevented) void this.destroyed()
    return !prevented
  }

  async destroyed(): Promise<void> {
    this.gone = true
    await this.launching?.catch(() => undefined)
    await this.context?.close().catch(() => undefined)
  }

  isDestroyed() {
    return this.gone
  }

  getNormalBounds() {
    const { width = 0, height = 0 } = this.setup.options
    return { x: 0, y: 0, width, height }
  }

  isFocused() {
    return false
  }

  setProgressBar(progress: number) {
    this.setup.tell({ progress })
  }

  isMaximized() {
    return false
  }

  isMinimized() {
    return false
  }

  focus() {
    void this.page?.bringToFront()
  }

  show() {}
  hide() {}
  maximize() {}
  restore() {}

  private async launch(): Promise<Page> {
    const { options, profile, handlers } = this.setup
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: process.env['SHIM_CHROMIUM'] ?? '',
      headless: process.env['DISPLAY'] === undefined,
      viewport: null,
      // Electron's windows don't close by themselves on a signal, so neither may Playwright's.
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
      args: [
        ...FLAGS,
        `--window-size=${options.width},${options.height}`,
        ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), // Chromium refuses root otherwise
      ],
    })
    this.context = context
    await context.exposeBinding('__shimInvoke', async ({ frame }, channel: string, args: unknown[]) => {
      const senderFrame = { url: frame.url(), parent: frame.parentFrame() }
      try {
        const handler = handlers.get(channel)
        if (!handler) throw new Error(`No handler registered for '${channel}'`)
        return { value: (await handler({ senderFrame } as never, ...args)) ?? null }
      } catch (error) {
        return { error: String(error) }
      }
    })
    const preload = readFileSync(options.webPreferences?.preload ?? '', 'utf-8')
    await context.addInitScript(preloadScript(preload, process.platform))
    await context.route('**/*', (route) => this.decide(route))
    const page = context.pages()[0] ?? (await context.newPage())
    context.on('page', (other) => void other.close())
    page.on('close', () => {
      if (!this.gone) this.setup.quit() // the user closed Chromium's window
    })
    this.page = page
    return page
  }

  private async decide(route: Route): Promise<void> {
    const request = route.request()
    const url = request.url()
    if (!request.isNavigationRequest()) return route.continue()
    const frame = frameOf(request)
    if (frame?.page() !== this.page) return this.popup(route)
    const top = frame === this.page?.mainFrame()
    if (top && url === this.expected) return route.continue()
    let prevented = false
    const details = { url, preventDefault: () => (prevented = true) }
    this.webContents.emit('will-frame-navigate', details)
    if (top) this.webContents.emit('will-navigate', details)
    if (!prevented) return route.continue()
    this.setup.tell({ prevented: url })
    return route.fulfill({ status: 204 }) // keeps the page; an abort would leave an error page
  }

  /** Playwright sees a popup only once it exists; Electron asks before. */
  private async popup(route: Route): Promise<void> {
    const url = route.request().url()
    this.webContents.openHandler?.({ url } as never)
    this.setup.tell({ prevented: url })
    await route.fulfill({ status: 204 })
  }
}

/** Null for a popup's first request, which comes before its frame exists. */
function frameOf(request: Request): Frame | null {
  try {
    return request.frame()
  } catch {
    return null
  }
}

function refuseUnsafe({ webPreferences = {} }: BrowserWindowConstructorOptions): void {
  const { contextIsolation, nodeIntegration, sandbox, webSecurity } = webPreferences
  if (contextIsolation && sandbox && webSecurity && nodeIntegration === false) return
  throw new Error('The stand-in opens no window that is not isolated, sandboxed and without Node.')
}

/** Where a test may attach; Chromium writes it into its profile. */
function debugPort(profile: string): number {
  const file = join(profile, 'DevToolsActivePort')
  return existsSync(file) ? Number(readFileSync(file, 'utf-8').split('\n')[0]) : 0
}
