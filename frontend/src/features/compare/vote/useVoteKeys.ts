/** 1, 2 and 0 vote, unless somebody is typing; a moment after the vote the next pair comes by itself. */
import { useEffect, useRef } from 'react'
import { choiceOfKey, type Choice } from './vote'

export function useVoteKeys(active: boolean, onVote: (choice: Choice) => void): void {
  const newest = useRef(onVote)
  useEffect(() => {
    newest.current = onVote
  }, [onVote])
  useEffect(() => {
    if (!active) return
    const listen = (event: KeyboardEvent) => {
      const choice = choiceOfKey(event.key)
      if (choice === null || event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return
      event.preventDefault()
      newest.current(choice)
    }
    window.addEventListener('keydown', listen)
    return () => window.removeEventListener('keydown', listen)
  }, [active])
}

/** Time to read who it was. */
const REVEALED_MS = 1500

export function useAdvance(active: boolean, onNext: () => void): void {
  const newest = useRef(onNext)
  useEffect(() => {
    newest.current = onNext
  }, [onNext])
  useEffect(() => {
    if (!active) return
    const timer = setTimeout(() => newest.current(), REVEALED_MS)
    return () => clearTimeout(timer)
  }, [active])
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('input, textarea, select, [contenteditable], dialog') !== null
}
