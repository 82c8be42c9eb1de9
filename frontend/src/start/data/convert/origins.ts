/** Which file a written one was made of, so that what is named after a file has the user's own name for it. */
import { readStored, writeStored } from '@/lib/storage'

const KEY = 'droid.origins'
const MOST = 100

type Origins = Readonly<Record<string, string>>

export function rememberOrigin(written: string, source: string): void {
  const others = Object.entries(origins()).filter(([path]) => path !== written)
  writeStored(KEY, Object.fromEntries([...others, [written, originOf(source)]].slice(-MOST)))
}

/** The file itself where it was made of no other. */
export function originOf(path: string): string {
  return origins()[path] ?? path
}

function origins(): Origins {
  return readStored(KEY, parse) ?? {}
}

function parse(stored: unknown): Origins | undefined {
  if (typeof stored !== 'object' || stored === null) return undefined
  return Object.fromEntries(Object.entries(stored).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}
