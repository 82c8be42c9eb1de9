/** Remembered values, of all windows or of one. Storage may be full, blocked or hold garbage: no page may break. */

/** Read and check; `parse` returns undefined for what it does not accept. */
export function readStored<T>(key: string, parse: (value: unknown) => T | undefined): T | undefined {
  return read(() => globalThis.localStorage, key, parse)
}

export function writeStored(key: string, value: unknown): void {
  write(() => globalThis.localStorage, key, value)
}

export function forgetStored(key: string): void {
  forget(() => globalThis.localStorage, key)
}

/**
 * What is being written in this window. Two windows keep their own, and a new one begins with what was written
 * last in any.
 */
export function readDraft<T>(key: string, parse: (value: unknown) => T | undefined): T | undefined {
  return read(() => globalThis.sessionStorage, key, parse) ?? readStored(key, parse)
}

export function writeDraft(key: string, value: unknown): void {
  write(() => globalThis.sessionStorage, key, value)
  writeStored(key, value)
}

export function forgetDraft(key: string): void {
  forget(() => globalThis.sessionStorage, key)
  forgetStored(key)
}

/** Naming a blocked storage throws too. */
type Place = () => Storage

function read<T>(place: Place, key: string, parse: (value: unknown) => T | undefined): T | undefined {
  try {
    const text = place().getItem(key)
    return text === null ? undefined : parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

function write(place: Place, key: string, value: unknown): void {
  try {
    place().setItem(key, JSON.stringify(value))
  } catch {
    // Remembering is a convenience; the page goes on without it.
  }
}

function forget(place: Place, key: string): void {
  try {
    place().removeItem(key)
  } catch {
    // As above.
  }
}
