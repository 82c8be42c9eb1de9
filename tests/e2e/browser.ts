// One Chromium for a test file; each test gets a fresh page that fails on any console error.
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { chromium, type Browser, type Page } from 'playwright-core'

const CANDIDATES = [
  process.env['CHROME_PATH'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export type Size = 'narrow' | 'normal' | 'wide'
const SIZES = {
  narrow: { width: 360, height: 740 },
  normal: { width: 1440, height: 900 },
  wide: { width: 2200, height: 1200 },
} as const

export async function launchBrowser(): Promise<Browser> {
  const found = CANDIDATES.find((path) => path !== undefined && existsSync(path))
  // Without an installed browser, Playwright's own download is used, if there is one.
  return chromium.launch({ args: FLAGS, ...(found ? { executablePath: found } : {}) })
}

const DATA = resolve(import.meta.dirname, '..', '..', 'test_data')
const SUGGESTED = JSON.parse(readFileSync(resolve(DATA, 'models/droid-demo/droid_defaults.json'), 'utf8')) as Record<string, unknown>
/** Setup as someone left it who typed the demo's rows and settings, and no name. */
const LEFT = JSON.stringify({
  level: 'simple',
  edits: {
    ...Object.fromEntries(Object.entries(SUGGESTED).map(([name, value]) => [name, String(value)])),
    ...{ train_data_path: resolve(DATA, 'demo/chat/train.jsonl'), val_data_path: resolve(DATA, 'demo/chat/valid.jsonl') },
    ...{ adapter_name: undefined, epochs: '' },
  },
})

export type Watched = { readonly page: Page; readonly errors: string[] }

export async function openPage(
  browser: Browser,
  url: string,
  options: { readonly size?: Size; readonly scheme?: 'light' | 'dark'; readonly fresh?: boolean } = {},
): Promise<Watched> {
  const context = await browser.newContext({
    viewport: SIZES[options.size ?? 'normal'],
    colorScheme: options.scheme ?? 'light',
    acceptDownloads: true,
  })
  context.setDefaultTimeout(120_000) // a first start loads the engine; two cores may be busy
  // A fresh form has no training file: the demo's values are behind Train the demo alone.
  if (!options.fresh) await context.addInitScript(leave, LEFT)
  const page = await context.newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text())
  })
  await page.goto(url)
  return { page, errors }
}

/** Runs in the page. An empty one has no storage. */
function leave(left: string): void {
  if (location.protocol !== 'about:') localStorage['droid.setup'] ??= left
}

/** The form as openPage left it, after a reset. */
export async function fillAgain(page: Page): Promise<void> {
  await page.evaluate(() => [localStorage, sessionStorage].forEach((place) => place.removeItem('droid.setup')))
  await page.reload()
}
