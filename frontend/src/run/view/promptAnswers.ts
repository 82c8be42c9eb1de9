/** Samples of a run as they come, put together: by prompt and step, and what is of rows apart. */
import type { Sample } from './SampleList'

export type PromptAnswers = { readonly prompt: string; readonly byStep: ReadonlyMap<number, string> }

/** In the order of the prompts; those that the run was given stand there before they are answered. */
export function promptAnswers(samples: readonly Sample[], prompts: readonly string[]): readonly PromptAnswers[] {
  const byPrompt = new Map(prompts.map((prompt) => [prompt, new Map<number, string>()]))
  for (const { prompt, step, text, split } of samples) {
    if (split !== 'prompt') continue
    const byStep = byPrompt.get(prompt) ?? new Map<number, string>()
    byPrompt.set(prompt, byStep.set(step, text))
  }
  return [...byPrompt].map(([prompt, byStep]) => ({ prompt, byStep }))
}

export function answerSteps(answers: readonly PromptAnswers[]): readonly number[] {
  return [...new Set(answers.flatMap(({ byStep }) => [...byStep.keys()]))].sort((a, b) => a - b)
}

export function ofRows(samples: readonly Sample[]): readonly Sample[] {
  return samples.filter((sample) => sample.split !== 'prompt')
}

/** Of a run's configuration, as it was sent. */
export function samplePrompts(config: { readonly [field: string]: unknown } | null): readonly string[] {
  const prompts = config?.['sample_prompts']
  return Array.isArray(prompts) ? prompts.filter((each) => typeof each === 'string') : []
}
