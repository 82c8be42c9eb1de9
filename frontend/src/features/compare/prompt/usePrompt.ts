/** The prompt and how it is sampled: remembered, so that leaving the page loses nothing. */
import { useCallback, useEffect, useState } from 'react'
import { useDebounced } from '@/lib/useDebounced'
import { readDraft, writeDraft } from '@/lib/storage'
import { readForm, SAMPLING, type SamplingForm } from './sampling'

const PROMPT = 'compare-prompt'
const FORM = 'compare-sampling'

export type Prompt = ReturnType<typeof usePrompt>

export function usePrompt() {
  const [text, setText] = useState(() => readDraft(PROMPT, (value) => (typeof value === 'string' ? value : undefined)) ?? '')
  const [form, setForm] = useState<SamplingForm>(() => readDraft(FORM, readForm) ?? SAMPLING)
  const settled = useDebounced(text, 400)
  useEffect(() => writeDraft(PROMPT, settled), [settled])
  const change = useCallback((part: Partial<SamplingForm>) => {
    setForm((before) => {
      const after = { ...before, ...part }
      writeDraft(FORM, after)
      return after
    })
  }, [])
  return { text, setText, form, change }
}
