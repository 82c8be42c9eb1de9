/** A secret that is typed and saved, and never shown again. */
import { useState } from 'react'
import type { SettingsPatch } from '@/api/generated'

export type Secret = {
  readonly text: string
  readonly set: (text: string) => void
  readonly clear: () => void
  /** What is to be saved: nothing while nothing was typed. */
  readonly patch: SettingsPatch
}

export function useSecret(name: 'hub_token' | 'judge_key' | 'webhook_url' | 'ntfy_url'): Secret {
  const [text, set] = useState('')
  const value = text.trim()
  return { text, set, clear: () => set(''), patch: value === '' ? {} : { [name]: value } }
}
