import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

import {
  guardNavigation,
  guardPermissions,
  readRemembered,
  remember,
  windowOptions,
} from '../../src/window'
import { fakePort, FakeWindow } from './fakePort'
import { temporaryFolder } from './given'

const OWN = 'http://127.0.0.1:8123'
const SCREEN = [{ x: 0, y: 0, width: 1920, height: 1080 }]

describe('the window', () => {
  test('gives the page no Node, no shared world and no way around the sandbox', () => {
    expect(windowOptions('/preload.cjs').webPreferences).toEqual({
      preload: '/preload.cjs',
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      webviewTag: false,
      navigateOnDragDrop: false,
      spellcheck: false,
    })
  })

  test('is 1400 × 900 at first, at least 1024 × 700, and hidden until it can be shown whole', () => {
    expect(windowOptions('p')).toMatchObject({
      width: 1400,
      height: 900,
      minWidth: 1024,
      minHeight: 700,
      show: false,
    })
  })

  test('comes back where it was', () => {
    const file = join(temporaryFolder(), 'not there yet', 'window.json')
    remember(file, new FakeWindow({}))
    const remembered = readRemembered(file)
    expect(remembered).toEqual({
      bounds: { x: 40, y: 30, width: 1200, height: 800 },
      maximized: false,
    })
    expect(windowOptions('p', remembered, SCREEN)).toMatchObject({ x: 40, y: 30, width: 1200 })
  })

  test('does not come back on a screen that is gone', () => {
    const bounds = { x: 2500, y: 100, width: 1200, height: 800 }
    const options = windowOptions('p', { bounds, maximized: false }, SCREEN)
    expect(options).toMatchObject({ width: 1400, height: 900 })
    expect(options).not.toHaveProperty('x')
  })

  test.each(['', '{', '[]', '{"bounds":{"x":"1"}}', '{"bounds":{"x":0,"y":0,"width":1e99}}'])(
    'a remembered size of %j is as good as none',
    (text) => {
      const file = join(temporaryFolder(), 'window.json')
      writeFileSync(file, text)
      expect(readRemembered(file)).toBeNull()
    },
  )
})

describe('navigation', () => {
  const guarded = (origin: string | null = OWN) => {
    const { port, external } = fakePort()
    const window = new FakeWindow({})
    guardNavigation(window, { trustedOrigin: () => origin, shell: port.shell })
    return { window, external, contents: window.webContents }
  }

  test('stays on our own server', () => {
    const { contents, external } = guarded()
    expect(contents.navigate('will-navigate', `${OWN}/#/results`)).toBe(true)
    expect(contents.navigate('will-redirect', `${OWN}/`)).toBe(true)
    expect(external).toEqual([])
  })

  test('a web link opens in the browser instead', () => {
    const { contents, external } = guarded()
    expect(contents.navigate('will-navigate', 'https://example.invalid/paper')).toBe(false)
    expect(external).toEqual(['https://example.invalid/paper'])
  })

  test.each([
    'http://127.0.0.1:81231/',
    'http://127.0.0.1/',
    `${OWN}@evil.example/`,
    'http://127.0.0.1.evil.example:8123/',
    'file:///etc/passwd',
    'data:text/html,x',
    'javascript:alert(1)',
    'about:blank',
    '',
  ])('%j is refused everywhere', (url) => {
    const { contents } = guarded()
    for (const event of ['will-navigate', 'will-frame-navigate', 'will-redirect'] as const) {
      expect(contents.navigate(event, url)).toBe(false)
    }
  })

  test.each(['file:///bin/sh', 'smb://host/share', 'javascript:alert(1)', 'vscode://x', 'nonsense'])(
    '%s is not handed to the operating system',
    (url) => {
      const { contents, external } = guarded()
      contents.navigate('will-navigate', url)
      contents.openHandler?.({ url } as never)
      expect(external).toEqual([])
    },
  )

  test('no second window is opened, whatever the page asks for', () => {
    const { contents, external } = guarded()
    for (const url of [`${OWN}/`, 'https://example.invalid/', 'about:blank']) {
      expect(contents.openHandler?.({ url } as never)).toEqual({ action: 'deny' })
    }
    expect(external).toEqual(['https://example.invalid/'])
  })

  test('nothing is trusted before there is a server', () => {
    const { contents } = guarded(null)
    expect(contents.navigate('will-navigate', `${OWN}/`)).toBe(false)
  })
})

describe('permissions', () => {
  const asked = (permission: string, url: string) => {
    const { port, session } = fakePort()
    guardPermissions(port.defaultSession(), () => OWN)
    let granted: boolean | null = null
    session.setPermissionRequestHandler?.(
      null as never,
      permission as never,
      (decision) => {
        granted = decision
      },
      { requestingUrl: url } as never,
    )
    const checked = session.setPermissionCheckHandler?.(null, permission as never, url, {} as never)
    const device = session.setDevicePermissionHandler?.({} as never)
    return { granted, checked, device }
  }

  test.each(['clipboard-read', 'clipboard-sanitized-write'])('%s is granted to our page', (name) => {
    expect(asked(name, `${OWN}/`)).toEqual({ granted: true, checked: true, device: false })
  })

  test.each(['media', 'geolocation', 'notifications', 'fileSystem', 'hid', 'openExternal', 'unknown'])(
    '%s is denied',
    (name) => {
      expect(asked(name, `${OWN}/`)).toEqual({ granted: false, checked: false, device: false })
    },
  )

  test.each(['https://evil.example/', 'http://127.0.0.1:9/', 'null', ''])(
    'the clipboard is denied to %j',
    (url) => {
      expect(asked('clipboard-read', url)).toMatchObject({ granted: false, checked: false })
    },
  )
})
