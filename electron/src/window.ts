/** The one window: its safe options, the size it had last time, and where it may go. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { BrowserWindowConstructorOptions, Rectangle } from 'electron'

import { originOf } from './ipc'
import type { ElectronPort, SessionPort, WindowPort } from './port'

export type Remembered = { readonly bounds: Rectangle; readonly maximized: boolean }

const NORMAL = { width: 1400, height: 900 } as const
const SMALLEST = { width: 1024, height: 700 } as const

export function windowOptions(
  preload: string,
  remembered: Remembered | null = null,
  workAreas: readonly Rectangle[] = [],
): BrowserWindowConstructorOptions {
  const place =
    remembered && workAreas.some((area) => shows(area, remembered.bounds))
      ? remembered.bounds
      : NORMAL
  return {
    title: 'Droid FineTuning',
    ...place,
    minWidth: SMALLEST.width,
    minHeight: SMALLEST.height,
    show: false, // until ready-to-show, so that no white frame flashes
    webPreferences: {
      preload,
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      webviewTag: false,
      navigateOnDragDrop: false,
      spellcheck: false, // Chromium's would fetch its dictionaries from the network
    },
  }
}

/** The remembered size and place; null when there is none or the file says nothing usable. */
export function readRemembered(path: string): Remembered | null {
  try {
    return parseRemembered(JSON.parse(readFileSync(path, 'utf-8')))
  } catch {
    return null
  }
}

export function remember(path: string, window: WindowPort): void {
  const kept: Remembered = { bounds: window.getNormalBounds(), maximized: window.isMaximized() }
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.new`, JSON.stringify(kept))
  renameSync(`${path}.new`, path)
}

type Guard = {
  readonly trustedOrigin: () => string | null
  readonly shell: Pick<ElectronPort['shell'], 'openExternal'>
}

/** Keeps the window on our own server's pages; web links open in the user's browser instead. */
export function guardNavigation(window: WindowPort, { trustedOrigin, shell }: Guard): void {
  const contents = window.webContents
  const own = (url: string) => trustedOrigin() !== null && originOf(url) === trustedOrigin()
  const openOutside = (url: string) => {
    if (isWebLink(url)) void shell.openExternal(url)
  }
  contents.on('will-navigate', (details) => {
    if (own(details.url)) return
    details.preventDefault()
    openOutside(details.url)
  })
  // Emitted for the top frame too, where the listener above has already decided.
  contents.on('will-frame-navigate', (details) => {
    if (!own(details.url)) details.preventDefault()
  })
  contents.on('will-redirect', (details) => {
    if (!own(details.url)) details.preventDefault()
  })
  contents.setWindowOpenHandler(({ url }) => {
    if (!own(url)) openOutside(url)
    return { action: 'deny' }
  })
}

/** Electron grants every permission by default; this page needs the clipboard and nothing else. */
export function guardPermissions(session: SessionPort, trustedOrigin: () => string | null): void {
  const allowed = (permission: string, origin: string | null) =>
    (permission === 'clipboard-read' || permission === 'clipboard-sanitized-write') &&
    origin !== null &&
    origin === trustedOrigin()
  session.setPermissionRequestHandler((_contents, permission, decide, details) => {
    decide(allowed(permission, originOf(details.requestingUrl)))
  })
  session.setPermissionCheckHandler((_contents, permission, requestingOrigin) =>
    allowed(permission, originOf(requestingOrigin)),
  )
  session.setDevicePermissionHandler(() => false)
}

export function isWebLink(url: string): boolean {
  return URL.canParse(url) && ['http:', 'https:'].includes(new URL(url).protocol)
}

/** At least a graspable piece of the title bar must be on a screen that is still there. */
function shows(area: Rectangle, bounds: Rectangle): boolean {
  const right = Math.min(area.x + area.width, bounds.x + bounds.width)
  const width = right - Math.max(area.x, bounds.x)
  return width >= 100 && bounds.y >= area.y && bounds.y <= area.y + area.height - 50
}

function parseRemembered(value: unknown): Remembered | null {
  if (typeof value !== 'object' || value === null || !('bounds' in value)) return null
  const { bounds } = value
  if (typeof bounds !== 'object' || bounds === null) return null
  const { x, y, width, height } = bounds as Partial<Record<keyof Rectangle, unknown>>
  if (!isWhole(x) || !isWhole(y) || !isWhole(width) || !isWhole(height)) return null
  return {
    bounds: {
      x,
      y,
      width: Math.max(width, SMALLEST.width),
      height: Math.max(height, SMALLEST.height),
    },
    maximized: 'maximized' in value && value.maximized === true,
  }
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value)
}
