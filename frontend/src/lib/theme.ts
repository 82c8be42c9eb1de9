/** Light, dark or as the system says; kept between visits, applied to <html data-theme>. */
import { useSyncExternalStore } from 'react'
import { readStored, writeStored } from '@/lib/storage'

export type Theme = 'light' | 'dark' | 'system'
const THEMES: readonly Theme[] = ['light', 'dark', 'system']
const KEY = 'droid.theme'

const listeners = new Set<() => void>()
const systemDark = () => globalThis.matchMedia?.('(prefers-color-scheme: dark)')

export function readTheme(): Theme {
  return readStored(KEY, (value) => THEMES.find((theme) => theme === value)) ?? 'system'
}

/** What is on screen: `system` resolved. */
export function resolveTheme(theme: Theme): 'light' | 'dark' {
  if (theme !== 'system') return theme
  return systemDark()?.matches ? 'dark' : 'light'
}

export function applyTheme(theme: Theme): void {
  document.documentElement.dataset['theme'] = resolveTheme(theme)
  listeners.forEach((listener) => listener())
}

export function chooseTheme(theme: Theme): void {
  writeStored(KEY, theme)
  applyTheme(theme)
}

/** The theme that was chosen in another window, where nobody chose one in this. */
export function adoptTheme(theme: Theme): void {
  if (readStored(KEY, (value) => value) === undefined) chooseTheme(theme)
}

export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, readTheme)
}

/** The theme on screen; a chart redraws when it changes. */
export function useShownTheme(): 'light' | 'dark' {
  return useSyncExternalStore(subscribe, () => resolveTheme(readTheme()))
}

/** A colour token's value, for what is drawn on a canvas: readToken('chart-train'). */
export function readToken(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()
}

function subscribe(listener: () => void): () => void {
  const followSystem = () => applyTheme(readTheme())
  const media = systemDark()
  media?.addEventListener('change', followSystem)
  listeners.add(listener)
  return () => {
    media?.removeEventListener('change', followSystem)
    listeners.delete(listener)
  }
}
