/** `electron.log`: what the shell did and what its server printed, kept to a few megabytes. */
import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

const MAX_BYTES = 1024 * 1024
const KEPT = 3

export type Log = {
  readonly path: string
  readonly write: (source: string, text: string) => void
}

/** Written synchronously: the lines that matter most are those just before an end. */
export function openLog(path: string, maxBytes = MAX_BYTES): Log {
  // A log that can't be written (a full disk, a read-only folder) must not stop the app.
  const attempt = (action: () => void) => {
    try {
      action()
    } catch {
      return
    }
  }
  attempt(() => mkdirSync(dirname(path), { recursive: true }))
  return {
    path,
    write: (source, text) => {
      const at = new Date().toISOString()
      const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '')
      const entry = lines.map((line) => `${at} ${source.padEnd(7)} ${printable(line)}\n`).join('')
      attempt(() => {
        if (sizeOf(path) + entry.length > maxBytes) rotate(path)
        appendFileSync(path, entry, { mode: 0o600 })
      })
    },
  }
}

function rotate(path: string): void {
  for (let age = KEPT - 1; age >= 0; age -= 1) {
    const from = age === 0 ? path : `${path}.${age}`
    if (sizeOf(from) > 0) renameSync(from, `${path}.${age + 1}`)
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

/** Without terminal escapes, so that reading the log with `cat` is safe. */
function printable(line: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is removed
  return line.replace(/\u001b\[[0-9;?]*[A-Za-z]|[\u0000-\u0008\u000b-\u001f\u007f]/g, '')
}
