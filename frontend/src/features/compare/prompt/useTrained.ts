/** How the rows of the first adapter ask: its system prompt is put into the field once, its prompts are to press. */
import { useEffect, useRef } from 'react'
import { useAdapterPromptsQuery, type AdapterPrompts } from '@/api/generated'
import { readStored, writeStored } from '@/lib/storage'
import type { Target } from '@/features/compare/targets/targets'
import { systemFor } from './trained'
import type { Prompt } from './usePrompt'

const OFFERED = 'compare-offered-system'

export type Trained = AdapterPrompts & { readonly adapter: string }

export function useTrained(targets: readonly Target[], { form, change }: Prompt): Trained | null {
  const adapter = targets.find((target) => target.adapter !== null)?.adapter ?? null
  const { currentData } = useAdapterPromptsQuery({ name: adapter ?? '' }, { skip: adapter === null })
  const last = useRef<string | null>(null)
  const offered = currentData ? (currentData.system ?? '') : null
  const { system } = form
  useEffect(() => {
    if (offered === null) return
    last.current ??= readStored(OFFERED, (value) => (typeof value === 'string' ? value : undefined)) ?? ''
    const next = systemFor({ system, last: last.current, offered })
    if (next !== null) change({ system: next })
    if (last.current !== offered) writeStored(OFFERED, offered)
    last.current = offered
  }, [offered, system, change])
  return currentData && adapter !== null ? { ...currentData, adapter } : null
}
