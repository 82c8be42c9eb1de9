/** What the page may ask of the desktop, done with native dialogs and the clipboard. */
import { randomUUID } from 'node:crypto'
import { rename, rm, writeFile } from 'node:fs/promises'
import type { OpenDialogOptions } from 'electron'

import type { OpenFileOptions } from './bridge'
import type { Calls } from './ipc'
import type { DialogsPort, ElectronPort } from './port'

export function desktopCalls(
  dialogs: () => DialogsPort,
  clipboard: ElectronPort['clipboard'],
): Calls {
  const choose = async (kind: 'openFile' | 'openDirectory', options: OpenFileOptions = {}) => {
    const { canceled, filePaths } = await dialogs().openFile(dialogOptions(kind, options))
    return canceled ? null : (filePaths[0] ?? null)
  }
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
