/**
 * Commands that a page acts on, from the desktop menu or the command palette. One that is sent before
 * its page is open waits until the page listens.
 */
import { bridge, type MenuCommand } from './bridge'

export type PageCommand = Extract<MenuCommand, string>

const WAIT_MS = 5000
const listeners = new Set<(command: PageCommand) => boolean>()
let waiting: { readonly command: PageCommand; readonly until: number } | null = null

/** To whoever listens for it now, else to the next page that does within a few seconds. */
export function sendCommand(command: PageCommand): void {
  const heard = [...listeners].map((listener) => listener(command)).some(Boolean)
  waiting = heard ? null : { command, until: Date.now() + WAIT_MS }
}

/** Calls `act` for each such command until the returned function is called. */
export function onCommand(wanted: PageCommand, act: () => void): () => void {
  const listener = (command: PageCommand) => {
    if (command !== wanted) return false
    act()
    return true
  }
  listeners.add(listener)
  const endMenu = bridge()?.onMenu((command) => {
    if (command === wanted) act()
  })
  if (waiting?.command === wanted) {
    if (Date.now() < waiting.until) act()
    waiting = null
  }
  return () => {
    listeners.delete(listener)
    endMenu?.()
  }
}
