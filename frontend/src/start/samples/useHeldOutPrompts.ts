/** Asks the server for questions of rows that the run will only validate on. */
import { useState } from 'react'
import { readProblem } from '@/api/errors'
import { useEnhancedHeldOutPromptsMutation, useTrainingHeldOutPromptsMutation, type EnhancedStart, type StandardStart } from '@/api/generated'

type HeldOut = {
  /** Null while the form is not complete: which rows are held out follows from it. */
  readonly ask: (() => void) | null
  readonly why: string | undefined
  readonly asking: boolean
  /** What came of the last question, where it needs a word. */
  readonly note: string | null
}

export function useHeldOutPrompts(request: unknown, limit: number, take: (prompts: readonly string[]) => void): HeldOut {
  const [askStandard, standard] = useTrainingHeldOutPromptsMutation()
  const [askEnhanced, enhanced] = useEnhancedHeldOutPromptsMutation()
  const [note, setNote] = useState<string | null>(null)
  const asks = async () => {
    const start = request as StandardStart | EnhancedStart
    const answer = 'training_method' in start ? await askEnhanced({ enhancedStart: start }) : await askStandard({ standardStart: start })
    const problem = readProblem(answer.error)
    const prompts = answer.data?.prompts.slice(0, limit) ?? []
    if (problem) return setNote([problem.detail, problem.hint].filter(Boolean).join(' '))
    if (answer.data && answer.data.source === null) return setNote('No rows are held out: give a validation file or a validation split.')
    setNote(prompts.length > 0 ? null : `The held-out rows of ${answer.data?.source ?? 'the file'} have no questions: they are plain text.`)
    take(prompts)
  }
  return {
    ask: request === null ? null : () => void asks(),
    why: request === null ? 'Choose a model and data first.' : undefined,
    asking: standard.isLoading || enhanced.isLoading,
    note,
  }
}
