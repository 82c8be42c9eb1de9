/** From what stands on the page to a question, or why there is none. */
import type { Question } from '@/features/compare/ask/asked'
import { samplingOf, type SamplingForm } from './sampling'
import type { Target } from '@/features/compare/targets/targets'

type Given = {
  readonly prompt: string
  readonly form: SamplingForm
  readonly targets: readonly Target[]
  readonly duringRun: boolean
}

export function questionOf({ prompt, form, targets, duringRun }: Given): Question | null {
  const sampling = samplingOf(form)
  if (!sampling || targets.length === 0) return null
  return {
    prompt,
    system: form.system.trim() === '' || form.raw ? null : form.system,
    sampling,
    targets,
    raw: form.raw,
    together: form.together,
    duringRun,
  }
}

type Standing = Given & { readonly live: boolean }

/** Why nothing can be asked now, apart from an empty prompt; null where it can. */
export function blockedBy({ form, targets, duringRun, live }: Omit<Standing, 'prompt'>): string | null {
  if (targets.length === 0) return 'Choose models first.'
  if (samplingOf(form) === null) return 'Correct the sampling values first.'
  if (live && !duringRun) return 'Training in progress. Wait for it to end, or turn on Ask during training.'
  return null
}
