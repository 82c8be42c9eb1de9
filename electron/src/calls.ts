/** What the page may ask of the desktop, done with native dialogs and the clipboard. */
import { randomUUID } from 'node:crypto'
import { rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { OpenDialogOptions } from 'electron'

import type { OpenFileOptions, ShownRun } from './bridge'
import type { Calls } from './ipc'
import type { DialogsPort, ElectronPort, WindowPort } from './port'

export type Desktop = {
  readonly port: ElectronPort
  readonly dialogs: () => DialogsPort
  readonly window: WindowPort
  /** Brings the window to the front. */
  readonly show: () => void
}

export function desktopCalls({ port, dialogs, window, show }: Desktop): Calls {
  const { clipboard } = port
  // Where the last file or folder was taken from: a dialog opens there unless the page says where.
  const last: { openFile?: string; openDirectory?: string } = {}
  const choose = async (kind: 'openFile' | 'openDirectory', options: OpenFileOptions = {}) => {
    const startIn = options.startIn ?? last[kind]
    const asked = startIn === undefined ? options : { ...options, startIn }
    const { canceled, filePaths } = await dialogs().openFile(dialogOptions(kind, asked))
    const path = canceled ? null : (filePaths[0] ?? null)
    if (path !== null) last[kind] = dirname(path)
    return path
  }
  const run = runDisplay(port, window, show)
  return {
    'file:open': (options) => choose('openFile', options),
    'folder:open': (options) => choose('openDirectory', options),
    'file:save': async (name, text) => {
      const { canceled, filePath } = await dialogs().saveFile({ defaultPath: name })
      if (canceled || filePath === '') return null
      await replaceFile(filePath, text)
      return filePath
    },
    'clipboard:read': () => clipboard.readText(),
    'clipboard:write': (text) => clipboard.writeText(text),
    'run:show': async (shown) => run.show(shown),
    'run:notify': async (title, text) => run.notify(title, text),
  }
}

const INDETERMINATE = 2 // as Electron says it

/** The run on the Dock or task bar, and the machine kept awake for it; the display may sleep. */
function runDisplay(port: ElectronPort, window: WindowPort, show: () => void) {
  let blocker: number | null = null
  const keepAwake = (awake: boolean) => {
    if (awake && blocker === null) blocker = port.powerSaveBlocker.start('prevent-app-suspension')
    if (!awake && blocker !== null) {
      port.powerSaveBlocker.stop(blocker)
      blocker = null
    }
  }
  window.on('focus', () => void port.app.setBadgeCount(0))
  return {
    show: (run: ShownRun | null) => {
      keepAwake(run?.awake === true)
      window.setProgressBar(run === null ? -1 : (run.fraction ?? INDETERMINATE))
    },
    notify: (title: string, text: string) => {
      if (window.isFocused()) return
      port.app.setBadgeCount(1)
      port.notify(title, text, show)
    },
  }
}

function dialogOptions(
  kind: 'openFile' | 'openDirectory',
  { title, filters, startIn }: OpenFileOptions,
): OpenDialogOptions {
  return {
    properties: [kind],
    ...(title === undefined ? {} : { title, message: title }), // macOS shows only the message
    ...(startIn === undefined ? {} : { defaultPath: startIn }),
    ...(filters === undefined
      ? {}
      : { filters: filters.map(({ name, extensions }) => ({ name, extensions: [...extensions] })) }),
  }
}

/** The old file or the new one, never half of it. The dialog has asked about overwriting. */
async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`
  try {
    await writeFile(temporary, text, { flag: 'wx' })
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}
