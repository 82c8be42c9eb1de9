/** Wiring only: the real Electron as a port, and where things are. All logic is in `shell.ts`. */
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import {
  app,
  BrowserWindow,
  clipboard,
  dialog,
  ipcMain,
  Menu,
  Notification,
  powerSaveBlocker,
  screen,
  session,
  shell,
} from 'electron'

import { recordedUrl } from './server/backend'
import { preparedProgram } from './server/environment'
import { openLog } from './log'
import type { ElectronPort } from './port'
import { run } from './shell'
import { tokenOf } from './server/token'

const port: ElectronPort = {
  app,
  ipcMain,
  shell,
  clipboard,
  powerSaveBlocker,
  notify: (title, body, onClick) => {
    const shown = new Notification({ title, body })
    shown.on('click', onClick)
    shown.show()
  },
  showErrorBox: (title, content) => {
    dialog.showErrorBox(title, content)
  },
  setMenu: (template) => {
    Menu.setApplicationMenu(Menu.buildFromTemplate(template))
  },
  popupMenu: (template) => {
    Menu.buildFromTemplate(template).popup()
  },
  createWindow: (options) => {
    const window = new BrowserWindow(options)
    return {
      window,
      dialogs: {
        openFile: (open) => dialog.showOpenDialog(window, open),
        saveFile: (save) => dialog.showSaveDialog(window, save),
        ask: (message) => dialog.showMessageBox(window, message),
      },
    }
  },
  defaultSession: () => session.defaultSession,
  workAreas: () => screen.getAllDisplays().map((display) => display.workArea),
}

const { env } = process
const packaged = app.isPackaged
const checkout = resolve(__dirname, '..', '..')
const dataDir = resolve(env['DROID_DATA_DIR'] ?? (packaged ? ownFolder() : checkout))
const sessionsDir = env['DROID_SESSIONS_DIR'] ?? join(dataDir, 'sessions')
const log = openLog(join(env['DROID_LOGS_DIR'] ?? join(dataDir, 'logs'), 'electron.log'))

app.setName('Droid FineTuning')
app.enableSandbox()
void run(port, {
  platform: process.platform,
  preload: join(__dirname, 'preload.cjs'),
  windowFile: join(app.getPath('userData'), 'window.json'),
  log,
  launch: {
    python: env['DROID_SERVER_PYTHON'] ?? join(checkout, '.venv', 'bin', 'python'),
    checkout,
    env,
    log,
    token: () => tokenOf(env, join(dataDir, 'secrets.json')),
    startTimeout: 60_000,
    stopGrace: 15_000,
  },
  ...(packaged && {
    prepare: (how) =>
      preparedProgram({ service: join(process.resourcesPath, 'service'), dataDir, env, log }, how),
  }),
  argv: process.argv,
  runningUrls: () => [env['DROID_URL'], recordedUrl(join(sessionsDir, 'server.lock'))],
  onSignal: (listener) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, listener)
  },
}).catch((error: unknown) => {
  log.write('shell', error instanceof Error ? (error.stack ?? error.message) : String(error))
  dialog.showErrorBox('Droid FineTuning can’t start', `${String(error)}\n\nThe log is ${log.path}`)
  app.exit(1)
})

/** Where the service of an installed package works: `default_data_dir` of `backend/settings.py`. */
function ownFolder(): string {
  if (process.platform === 'darwin') {
    return join(homedir(), 'Library', 'Application Support', 'droid-finetuning')
  }
  const chosen = env['XDG_DATA_HOME'] ?? ''
  return join(isAbsolute(chosen) ? chosen : join(homedir(), '.local', 'share'), 'droid-finetuning')
}
