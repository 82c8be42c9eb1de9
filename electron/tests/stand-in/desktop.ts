/** Runs the built app in the Electron stand-in, and lets a test play the user. */
import { spawn, type ChildProcess } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { chromium, type Browser, type Page } from 'playwright-core'
import { onTestFinished } from 'vitest'

import type { Answers, News, Order } from './electronShim'

const DIST = resolve(import.meta.dirname, '..', '..', 'dist')

type Kind = News extends infer N ? (N extends N ? keyof N : never) : never
type Told<K extends Kind> = Extract<News, Readonly<Record<K, unknown>>>

export class Desktop {
  private readonly heard = new EventEmitter()
  private readonly news: News[] = []
  private browser: Browser | null = null
  /** Of the app itself: resolves with its exit code. */
  readonly exited: Promise<number | null>

  constructor(
    private readonly app: ChildProcess,
    readonly dataDir: string,
  ) {
    this.exited = once(app, 'exit').then(([code]) => code as number | null)
    app.on('message', (message) => {
      this.news.push(message as News)
      this.heard.emit('news')
    })
  }

  /** The first news of that kind (and for which `fits`), whether it came already or not. */
  async told<K extends Kind>(kind: K, fits: (news: Told<K>) => boolean = () => true): Promise<Told<K>> {
    const gone = this.exited.then((code) => {
      throw new Error(`The app ended with ${String(code)} before it told "${kind}".\n${this.log()}`)
    })
    gone.catch(() => undefined)
    for (;;) {
      const found = this.news.find((one): one is Told<K> => kind in one && fits(one as Told<K>))
      if (found) return found
      await Promise.race([once(this.heard, 'news'), gone])
    }
  }

  /** The app's page, once the server's own page is loaded. */
  async page(): Promise<Page> {
    const { debugPort } = await this.told('loaded', ({ loaded }) => loaded.startsWith('http'))
    this.browser ??= await chromium.connectOverCDP(`http://127.0.0.1:${debugPort}`)
    const page = this.browser.contexts()[0]?.pages()[0]
    if (!page) throw new Error('The window has no page.')
    return page
  }

  press(menuItem: string): void {
    this.order({ press: menuItem })
  }

  closeWindow(): void {
    this.order({ closeWindow: true })
  }

  /** A link that the system hands to a second start, which hands it on. */
  openLink(link: string): void {
    this.order({ secondInstance: true, argv: ['electron', '.', link] })
  }

  answer(answers: Partial<Answers>): void {
    this.order({ answers })
  }

  kill(signal: NodeJS.Signals): void {
    this.app.kill(signal)
  }

  log(): string {
    const path = join(this.dataDir, 'logs', 'electron.log')
    return existsSync(path) ? readFileSync(path, 'utf-8') : ''
  }

  /** The pid of the server that the app has started, from its log. */
  serverPid(): number {
    return Number(/process (\d+)\./.exec(this.log())?.[1] ?? 0)
  }

  private order(order: Order): void {
    this.app.send(order)
  }
}

/** Starts the app with a data root of its own; it is gone again after the test. */
export function openDesktop(env: NodeJS.ProcessEnv = {}): Desktop {
  const userData = mkdtempSync(join(tmpdir(), 'droid desktop '))
  const dataDir = env['DROID_DATA_DIR'] ?? userData
  const app = spawn(
    process.execPath,
    ['-r', join(DIST, 'stand-in', 'electron-shim.cjs'), join(DIST, 'main.cjs')],
    {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: {
        ...process.env,
        DROID_DATA_DIR: dataDir,
        SHIM_USER_DATA: userData,
        SHIM_CHROMIUM: browserPath(),
        ...env,
      },
    },
  )
  const desktop = new Desktop(app, dataDir)
  onTestFinished(async () => {
    app.kill('SIGTERM')
    await desktop.exited
    rmSync(userData, { recursive: true, force: true, maxRetries: 5 })
  })
  return desktop
}

function browserPath(): string {
  const candidates = [
    process.env['DROID_BROWSER'],
    process.env['CHROME_PATH'],
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    chromium.executablePath(),
  ]
  const found = candidates.find((path) => path !== undefined && existsSync(path))
  if (found === undefined) {
    throw new Error('The desktop tests need a Chromium: install one, or name it in DROID_BROWSER.')
  }
  return found
}

/** Is there a process of that pid? */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
