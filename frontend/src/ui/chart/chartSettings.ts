/** How the user likes the loss chart: kept between visits, the same on every page. */
import { useState } from 'react'
import { readStored, writeStored } from '@/lib/storage'

export type ChartSettings = {
  readonly log: boolean
  readonly clip: boolean
  /** Weight of the moving average, 0 up to 0.99. */
  readonly smoothing: number
}

const KEY = 'droid.charts'
const USUAL: ChartSettings = { log: false, clip: false, smoothing: 0.8 }

export function useChartSettings(): readonly [ChartSettings, (change: Partial<ChartSettings>) => void] {
  const [settings, setSettings] = useState<ChartSettings>(() => readStored(KEY, parse) ?? USUAL)
  const change = (part: Partial<ChartSettings>) => {
    const next = { ...settings, ...part }
    setSettings(next)
    writeStored(KEY, next)
  }
  return [settings, change]
}

function parse(value: unknown): ChartSettings | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { log, clip, smoothing } = value as Record<string, unknown>
  const weight = typeof smoothing === 'number' && smoothing >= 0 && smoothing <= 0.99 ? smoothing : USUAL.smoothing
  return { log: log === true, clip: clip === true, smoothing: weight }
}
