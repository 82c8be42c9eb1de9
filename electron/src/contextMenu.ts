/** The menu of the right mouse button, which Electron has none of: to cut, copy and paste with. */
import type { MenuItemConstructorOptions } from 'electron'

import type { ContextParams } from './port'

/** What can be done where the mouse is; empty where nothing can. */
export function editMenu(params: ContextParams): MenuItemConstructorOptions[] {
  const { isEditable, selectionText, editFlags } = params
  if (!isEditable) return selectionText.trim() === '' ? [] : [{ role: 'copy' }]
  return [
    { role: 'cut', enabled: editFlags.canCut },
    { role: 'copy', enabled: editFlags.canCopy },
    { role: 'paste', enabled: editFlags.canPaste },
    { type: 'separator' },
    { role: 'selectAll', enabled: editFlags.canSelectAll },
  ]
}
