/** Remembered values. Storage may be full, blocked, or hold garbage: none of that may break a page. */

/** Read and check; `parse` returns undefined for what it does not accept. */
export function readStored<T>(key: string, parse: (value: unknown) => T | undefined): T | undefined {
  try {
    const text = globalThis.localStorage.getItem(key)
    return text === null ? undefined : parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

export function writeStored(key: string, value: unknown): void {
  try {
    globalThis.localStorage.setItem(key, JSON.stringify(value))
  } catch {
    // Remembering is a convenience; the page goes on without it.
  }
}

export function forgetStored(key: string): void {
  try {
    globalThis.localStorage.removeItem(key)
  } catch {
    // As above.
  }
}
