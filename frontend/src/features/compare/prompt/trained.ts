/** Asking as a run was trained: when its rows' system prompt stands in the field. Pure. */
import type { AdapterPrompts } from '@/api/generated'
import type { Question } from '@/features/compare/ask/asked'

type Standing = {
  /** What stands in the field. */
  readonly system: string
  /** What was offered before, whether it was kept or removed. */
  readonly last: string
  /** Of the rows of the adapter that is asked now; empty where they have none. */
  readonly offered: string
}

/** The field's text for the offer; null leaves it. What was typed stays, and what was removed is not offered twice. */
export function systemFor({ system, last, offered }: Standing): string | null {
  if (offered === last) return null
  const untouched = system.trim() === '' || system === last
  return untouched && system !== offered ? offered : null
}

/** Why an answer may be unlike what the run learned; null where it was asked as it was trained. */
export function askedWithout(trained: AdapterPrompts | undefined, question: Question | undefined): string | null {
  if (!trained?.system || !question || question.raw || question.system !== null) return null
  return 'It was trained with a system prompt, but asked without one. Add it under System prompt and ask again.'
}
