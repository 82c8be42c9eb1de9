/** Every test: a clean page where it has one, no network, and no console.error that nobody expects. */
import { afterEach, beforeEach, expect, vi } from 'vitest'

const hasPage = typeof document !== 'undefined'
const leave = hasPage ? (await import('@testing-library/react')).cleanup : () => undefined
let complaints: string[] = []

beforeEach(() => {
  complaints = []
  vi.spyOn(console, 'error').mockImplementation((...args: unknown[]) => {
    complaints.push(args.map(String).join(' '))
  })
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('A test must answer its own calls.')))
  if (!hasPage) return
  localStorage.clear()
  sessionStorage.clear()
})

afterEach(() => {
  leave()
  expect(complaints, 'console.error was called').toEqual([])
})

if (hasPage) completePage()

/** What jsdom lacks; what is drawn or measured is checked in a real browser. */
function completePage(): void {
  globalThis.matchMedia ??= (query: string) =>
    ({
      matches: false,
      media: query,
      onchange: null,
      addEventListener: () => undefined,
      removeEventListener: () => undefined,
      addListener: () => undefined,
      removeListener: () => undefined,
      dispatchEvent: () => false,
    }) satisfies MediaQueryList
  globalThis.ResizeObserver ??= class {
    observe(): void {}
    unobserve(): void {}
    disconnect(): void {}
  }
  HTMLElement.prototype.scrollIntoView ??= () => undefined
  HTMLDialogElement.prototype.showModal ??= function (this: HTMLDialogElement) {
    this.open = true
  }
  HTMLDialogElement.prototype.close ??= function (this: HTMLDialogElement) {
    this.open = false
  }
}
