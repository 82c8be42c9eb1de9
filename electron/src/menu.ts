/** The native menu. Every item does something; what concerns the page is sent to the page. */
import type { MenuItemConstructorOptions } from 'electron'

import type { MenuCommand, PageId } from './bridge'

/** In the order of the sidebar, which is also the order of the shortcuts Cmd-1 … 6. */
export const PAGES: readonly { readonly page: PageId; readonly label: string }[] = [
  { page: 'setup', label: 'Setup' },
  { page: 'enhanced-setup', label: 'Enhanced Setup' },
  { page: 'training', label: 'Training' },
  { page: 'results', label: 'Results' },
  { page: 'compare', label: 'Compare' },
  { page: 'fusion', label: 'Fusion' },
]

export type MenuActions = {
  readonly send: (command: MenuCommand) => void
  readonly reload: () => void
  readonly openInBrowser: () => void
  readonly showLogs: () => void
}

type Item = MenuItemConstructorOptions

export function menuTemplate(platform: NodeJS.Platform, actions: MenuActions): Item[] {
  const mac = platform === 'darwin'
  const command = (label: string, accelerator: string, value: MenuCommand): Item => ({
    label,
    accelerator,
    click: () => {
      actions.send(value)
    },
  })
  return [
    ...(mac ? [appMenu] : []),
    {
      label: 'File',
      submenu: [
        command('Open Training Data…', 'CmdOrCtrl+O', 'open-training-data'),
        { type: 'separator' },
        { role: mac ? 'close' : 'quit' },
      ],
    },
    {
      label: 'Edit',
      submenu: [
        { role: 'undo' },
        { role: 'redo' },
        { type: 'separator' },
        { role: 'cut' },
        { role: 'copy' },
        { role: 'paste' },
        { role: 'selectAll' },
        { type: 'separator' },
        command('Find…', 'CmdOrCtrl+F', 'find'),
      ],
    },
    {
      label: 'View',
      submenu: [
        ...PAGES.map(({ page, label }, at) => command(label, `CmdOrCtrl+${at + 1}`, { page })),
        { type: 'separator' },
        command('Toggle Sidebar', 'CmdOrCtrl+B', 'toggle-sidebar'),
        { label: 'Reload Page', accelerator: 'CmdOrCtrl+Shift+R', click: actions.reload },
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { role: 'togglefullscreen' },
        { role: 'toggleDevTools' },
      ],
    },
    {
      label: 'Training',
      submenu: [
        command('Start Training', 'CmdOrCtrl+Return', 'start-training'),
        command('Stop Training', 'CmdOrCtrl+.', 'stop-training'),
      ],
    },
    { role: 'windowMenu' },
    {
      role: 'help',
      submenu: [
        { label: 'Open in Browser', click: actions.openInBrowser },
        { label: 'Show Logs', click: actions.showLogs },
        ...(mac ? [] : [{ role: 'about' } as const]),
      ],
    },
  ]
}

const appMenu: Item = {
  label: 'Droid FineTuning',
  submenu: [
    { role: 'about' },
    { type: 'separator' },
    { role: 'services' },
    { type: 'separator' },
    { role: 'hide' },
    { role: 'hideOthers' },
    { role: 'unhide' },
    { type: 'separator' },
    { role: 'quit' },
  ],
}
