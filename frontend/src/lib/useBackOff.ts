/** Tries again by itself, with growing waits, for as long as something fails. */
import { useEffect, useState } from 'react'

const FIRST_MS = 800
const LONGEST_MS = 8000

export function useBackOff(failing: boolean, retry: () => void): void {
  const [attempt, setAttempt] = useState(0)
  useEffect(() => {
    if (!failing) return
    const wait = Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt)
    const timer = setTimeout(() => {
      setAttempt(attempt + 1)
      retry()
    }, wait)
    return () => clearTimeout(timer)
  }, [failing, attempt, retry])
}
