/** Copies text and says so in its own place. */
import { Check, Copy } from 'lucide-react'
import { useEffect, useState } from 'react'
import { bridge } from '@/lib/bridge'
import { LinkButton } from './LinkButton'

type Props = { readonly text: string; readonly label?: string }

export function CopyButton({ text, label = 'Copy' }: Props) {
  const [state, setState] = useState<'ready' | 'copied' | 'refused'>('ready')
  useEffect(() => {
    if (state === 'ready') return
    const timer = setTimeout(() => setState('ready'), 1800)
    return () => clearTimeout(timer)
  }, [state])
  const copy = async () => {
    try {
      // The desktop window refuses pages the clipboard and offers its own way to it.
      await (bridge()?.writeText(text) ?? navigator.clipboard.writeText(text))
      setState('copied')
    } catch {
      setState('refused')
    }
  }
  const Icon = state === 'copied' ? Check : Copy
  return (
    <LinkButton className="inline-flex items-center gap-1 text-small" onClick={() => void copy()}>
      <Icon className="size-3" aria-hidden="true" />
      <span aria-live="polite">{WORDS[state] ?? label}</span>
    </LinkButton>
  )
}

const WORDS: Partial<Record<string, string>> = { copied: 'Copied', refused: 'Select and copy manually' }
