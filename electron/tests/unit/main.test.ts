import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'

import { FAKE_PYTHON, temporaryFolder } from './given'

test('the wiring reaches Electron: a server that cannot start ends in an error box and code 1', async () => {
  const root = temporaryFolder()
  vi.stubEnv('DROID_DATA_DIR', root)
  vi.stubEnv('DROID_LOGS_DIR', undefined)
  vi.stubEnv('DROID_URL', undefined)
  vi.stubEnv('DROID_SERVER_PYTHON', FAKE_PYTHON)
  vi.stubEnv('FAKE_MODE', 'refuse')
  const ended = new Promise<{ code: number; shown: string[] }>((resolve) => {
    const shown: string[] = []
    vi.doMock('electron', () => electronMock(root, shown, (code) => resolve({ code, shown })))
  })
  await import('../../src/main')
  const { code, shown } = await ended
  const log = join(root, 'logs', 'electron.log')
  expect(code).toBe(1)
  expect(shown[0]).toContain('The local server ended with code 1.')
  expect(shown[0]).toContain(log)
  expect(existsSync(log) && readFileSync(log, 'utf-8')).toContain('ended with code 1')
})

function electronMock(root: string, shown: string[], exit: (code: number) => void) {
  const listen = { on: vi.fn(), once: vi.fn() }
  class BrowserWindow {
    readonly webContents = {
      ...listen,
      setWindowOpenHandler: vi.fn(),
      navigationHistory: { clear: vi.fn() },
    }
    readonly on = listen.on
    readonly once = listen.once
    readonly loadURL = vi.fn().mockResolvedValue(undefined)
    readonly isDestroyed = () => false
    readonly isFocused = () => false
    readonly setProgressBar = vi.fn()
    readonly isMaximized = () => false
    readonly getNormalBounds = () => ({ x: 0, y: 0, width: 1400, height: 900 })
  }
  return {
    app: {
      ...listen,
      exit,
      enableSandbox: vi.fn(),
      getPath: () => root,
      isPackaged: false,
      quit: vi.fn(),
      requestSingleInstanceLock: () => true,
      setAboutPanelOptions: vi.fn(),
      setAsDefaultProtocolClient: vi.fn(),
      setBadgeCount: vi.fn(),
      setName: vi.fn(),
      whenReady: () => Promise.resolve(),
    },
    BrowserWindow,
    clipboard: {},
    dialog: { showErrorBox: (_title: string, content: string) => shown.push(content) },
    ipcMain: { handle: vi.fn() },
    Notification: vi.fn(),
    powerSaveBlocker: { start: vi.fn(), stop: vi.fn() },
    Menu: { buildFromTemplate: vi.fn(), setApplicationMenu: vi.fn() },
    screen: { getAllDisplays: () => [] },
    session: {
      defaultSession: {
        setDevicePermissionHandler: vi.fn(),
        setPermissionCheckHandler: vi.fn(),
        setPermissionRequestHandler: vi.fn(),
      },
    },
    shell: {},
  }
}
