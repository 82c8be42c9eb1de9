/**
 * Electron's security checklist, all 20 points in its order and numbering, each with a check of this
 * shell. What needs a packaged program (fuses) is checked in the packager's configuration.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'

import { loopbackOrigin } from '../../src/server/backend'
import { answerCalls, isTrusted, linkedSession } from '../../src/ipc'
import { loadingUrl } from '../../src/loading'
import { guardNavigation, guardPermissions, windowOptions } from '../../src/window'
import { callFrom, fakePort } from './fakePort'

const ROOT = resolve(import.meta.dirname, '..', '..')
const OWN = 'http://127.0.0.1:8123'
const source = Object.fromEntries(
  readdirSync(join(ROOT, 'src'), { encoding: 'utf-8', recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => [name, readFileSync(join(ROOT, 'src', name), 'utf-8')]),
)
const all = Object.values(source).join('\n')
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf-8')) as {
  readonly devDependencies: Readonly<Record<string, string>>
}
const preferences = windowOptions('/preload.cjs').webPreferences ?? {}

function guarded() {
  const fake = fakePort()
  const { window } = fake.port.createWindow({})
  guardNavigation(window, { trustedOrigin: () => OWN, shell: fake.port.shell })
  return { ...fake, contents: fake.windows[0]?.webContents }
}

describe("Electron's security checklist", () => {
  test('1. only secure content is loaded: our own server on this machine, and a page of our own', () => {
    expect(loopbackOrigin('http://127.0.0.1:8000/x')).toBe('http://127.0.0.1:8000')
    for (const url of ['http://192.168.0.2:8000', 'https://example.com', 'http://127.0.0.1.example.com']) {
      expect(loopbackOrigin(url), url).toBeNull()
    }
    expect(loadingUrl().startsWith('data:text/html')).toBe(true)
    const loads = all.match(/\.loadURL\(.*\)/g)
    expect(loads, 'one place loads, and is given these two').toEqual(['.loadURL(url)'])
  })

  test('2. the page has no Node', () => {
    expect(preferences).toMatchObject({
      nodeIntegration: false, nodeIntegrationInWorker: false, nodeIntegrationInSubFrames: false,
    })
  })

  test('3. its context is isolated', () => {
    expect(preferences.contextIsolation).toBe(true)
  })

  test('4. its process is sandboxed, and so is every other', () => {
    expect(preferences.sandbox).toBe(true)
    expect(source['main.ts']).toContain('app.enableSandbox()')
  })

  test('5. permissions are refused but for the clipboard of our own page', () => {
    const { session, port } = fakePort()
    guardPermissions(port.defaultSession(), () => OWN)
    const check = session.setPermissionCheckHandler
    for (const permission of ['media', 'geolocation', 'notifications', 'usb', 'openExternal'] as const) {
      expect(check?.(null, permission as never, OWN, {} as never), permission).toBe(false)
    }
    expect(check?.(null, 'clipboard-read', OWN, {} as never)).toBe(true)
    expect(check?.(null, 'clipboard-read', 'http://127.0.0.1:81', {} as never)).toBe(false)
    expect(session.setDevicePermissionHandler?.({} as never)).toBe(false)
  })

  test('6. web security is on', () => {
    expect(preferences.webSecurity).toBe(true)
  })

  test('7. the page has a strict content security policy', () => {
    const guard = readFileSync(join(ROOT, '..', 'backend', 'core', 'guard.py'), 'utf-8')
    expect(guard).toContain("default-src 'self'; script-src 'self';")
    expect(guard).not.toContain('unsafe-eval')
    expect(decodeURIComponent(loadingUrl())).toContain('Content-Security-Policy')
  })

  test('8. insecure content is not allowed', () => {
    expect(all).not.toContain('allowRunningInsecureContent')
  })

  test('9. no experimental features', () => {
    expect(all).not.toContain('experimentalFeatures')
  })

  test('10. no Blink features, and no switch that weakens Chromium', () => {
    expect(all).not.toMatch(/enableBlinkFeatures|appendSwitch|disable-web-security|no-sandbox/)
  })

  test('11. no webview may open popups: there is none', () => {
    expect(all).not.toContain('allowpopups')
    expect(preferences.webviewTag).toBe(false)
  })

  test('12. no webview can be attached', () => {
    expect(all).not.toContain('<webview')
    expect(preferences.webviewTag).toBe(false)
  })

  test('13. the window leaves our page for no other, in no frame and by no redirect', () => {
    const { contents } = guarded()
    for (const event of ['will-navigate', 'will-frame-navigate', 'will-redirect'] as const) {
      expect(contents?.navigate(event, 'https://example.com/'), event).toBe(false)
      expect(contents?.navigate(event, `${OWN}/#/training`), event).toBe(true)
    }
    expect(preferences.navigateOnDragDrop).toBe(false)
  })

  test('14. no second window is opened', () => {
    const { contents } = guarded()
    for (const url of [`${OWN}/`, 'https://example.com/', 'about:blank']) {
      expect(contents?.openHandler?.({ url } as never)).toEqual({ action: 'deny' })
    }
    expect(all.match(/createWindow\(/g)?.length, 'its type is no call').toBe(2)
  })

  test('15. only web links are handed to the system, and only links to a run are taken from it', () => {
    const { contents, external } = guarded()
    for (const url of ['file:///etc/passwd', 'smb://host/x', 'javascript:alert(1)', 'x-apple:y']) {
      contents?.openHandler?.({ url } as never)
    }
    expect(external).toEqual([])
    expect(linkedSession('droid-finetuning://session/../../x')).toBeNull()
  })

  test('16. Electron is pinned exactly, to a version that is still looked after', () => {
    const version = manifest.devDependencies['electron'] ?? ''
    expect(version).toMatch(/^\d+\.\d+\.\d+$/)
    expect(Number(version.split('.')[0])).toBeGreaterThanOrEqual(45)
  })

  test('17. the sender of every call is checked, on every channel', async () => {
    const { port, handlers } = fakePort()
    const reached: string[] = []
    const calls = new Proxy({}, { get: (_, name) => () => reached.push(String(name)) }) as never
    answerCalls({ ipcMain: port.ipcMain, trustedOrigin: () => OWN, calls, onRefused: () => undefined })
    for (const [channel, handler] of handlers) {
      expect(() => handler(callFrom('https://example.com/')), channel).toThrow('is not available')
      expect(() => handler(callFrom(`${OWN}/`, {})), `${channel} in a subframe`).toThrow('is not available')
    }
    expect(reached).toEqual([])
    expect(all.match(/ipcMain\.(handle|on|once|handleOnce)\(/g), 'one place answers').toEqual(['ipcMain.handle('])
  })

  test('18. no file:// page is shown or trusted', () => {
    expect(all).not.toMatch(/loadFile\(|['"`]file:\/\/\//)
    expect(isTrusted(callFrom('file:///index.html'), OWN)).toBe(false)
    const { contents } = guarded()
    expect(contents?.navigate('will-navigate', 'file:///etc/passwd')).toBe(false)
  })

  test('19. the fuses of the packaged program are set', () => {
    const { electronFuses } = JSON.parse(readFileSync(join(ROOT, 'electron-builder.json'), 'utf-8')) as {
      readonly electronFuses: unknown
    }
    expect(electronFuses).toEqual({
      runAsNode: false,
      enableCookieEncryption: true,
      enableNodeOptionsEnvironmentVariable: false,
      enableNodeCliInspectArguments: false,
      enableEmbeddedAsarIntegrityValidation: true,
      onlyLoadAppFromAsar: true,
      loadBrowserProcessSpecificV8Snapshot: false,
      grantFileProtocolExtraPrivileges: false,
    })
  })

  test('20. the page gets named functions, and no part of Electron', () => {
    const preload = source['preload.ts'] ?? ''
    expect(preload.match(/exposeInMainWorld\(/g)).toHaveLength(1)
    expect(preload).toContain("exposeInMainWorld('droid', bridge)")
    const bridge = preload.slice(preload.indexOf('const bridge'))
    expect(bridge, 'a function that takes a channel would open all of them').not.toMatch(
      /ipcRenderer(,|\s*}|\.(send|invoke|sendSync|postMessage))/,
    )
  })
})
