/** What happens to an answer, in words. */
import type { AnswerStats } from '@/api/generated'
import { compact, count, plural, UNKNOWN } from '@/lib/format'
import type { Side } from '@/features/compare/ask/asked'

const PHASES: Readonly<Record<string, string>> = {
  loading: 'Loading the model',
  reading: 'Reading the prompt',
}

/** 41 ms, 2.3 s. */
export function moments(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return UNKNOWN
  return seconds < 1 ? `${Math.max(1, Math.round(seconds * 1000))} ms` : `${compact(seconds, seconds < 10 ? 2 : 3)} s`
}

/** Of a side that has no text yet. */
export function waitingWords({ state, phase, share }: Side): string {
  if (state === 'waiting') return 'Waiting…'
  const words = PHASES[phase ?? ''] ?? 'Preparing'
  // Loading is told once, at its start.
  return phase !== 'reading' || share === null ? `${words}…` : `${words}, ${Math.round(share * 100)} %…`
}

/** first token 41 ms · 148 tokens/s · 24 tokens. Before a base's answer, an adapter was only taken off. */
export function timingWords(stats: Partial<AnswerStats>, adapted: boolean): readonly string[] {
  const parts: string[] = []
  if (stats.first_token_seconds != null) parts.push(`first token ${moments(stats.first_token_seconds)}`)
  if (stats.tokens_per_second != null) parts.push(`${compact(stats.tokens_per_second)} tokens/s`)
  if (stats.completion_tokens != null) parts.push(plural(stats.completion_tokens, 'token'))
  if (stats.cached_tokens) parts.push(`${count(stats.cached_tokens)} cached`)
  if (adapted && stats.swap_seconds) parts.push(`adapter loaded in ${moments(stats.swap_seconds)}`)
  if (stats.model_load_seconds) parts.push(`model loaded in ${moments(stats.model_load_seconds)}`)
  return parts
}

export function lengthNote(finish: string | null | undefined): string | null {
  if (finish === 'length') return 'stopped at max tokens'
  if (finish === 'stopped') return 'stopped'
  return null
}
