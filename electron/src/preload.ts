/** Offers `window.droid` to the page: named functions only, never the raw channel. */
import { contextBridge, ipcRenderer, webUtils } from 'electron'

import type { Bridge, MenuCommand } from './bridge'
import type { Calls, Channel, Messages } from './ipc'

const invoke = <C extends Channel>(channel: C, ...args: Parameters<Calls[C]>) =>
  ipcRenderer.invoke(channel, ...args) as ReturnType<Calls[C]>

const menuChannel: keyof Messages = 'menu:command'

const bridge: Bridge = {
  platform: process.platform,
  openFile: (options) => invoke('file:open', options),
  openFolder: (options) => invoke('folder:open', options),
  saveFile: (name, text) => invoke('file:save', name, text),
  readClipboard: () => invoke('clipboard:read'),
  writeText: (text) => invoke('clipboard:write', text),
  pathOfFile: (file) => webUtils.getPathForFile(file) || null,
  showRun: (run) => invoke('run:show', run),
  notify: (title, text) => invoke('run:notify', title, text),
  onMenu: (listener) => {
    const hear = (_event: unknown, command: MenuCommand) => {
      listener(command)
    }
    ipcRenderer.on(menuChannel, hear)
    return () => {
      ipcRenderer.removeListener(menuChannel, hear)
    }
  },
}

contextBridge.exposeInMainWorld('droid', bridge)
