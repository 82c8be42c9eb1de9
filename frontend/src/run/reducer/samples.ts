/** The completions of a run that a page holds: as many as the server keeps, by the same rule. */
import type { SampleData } from '@/api/frames'

const MOST_SAMPLES = 24
const MOST_ANSWERED = 32

type Samples = readonly SampleData[]

/** Completions of rows first, then the answers to the sample prompts, by step. */
export function withSample(samples: Samples, sample: SampleData): Samples {
  const ofRows = samples.filter((each) => each.split !== 'prompt')
  const answers = samples.filter((each) => each.split === 'prompt')
  if (sample.split !== 'prompt') return [...[...ofRows, sample].slice(-MOST_SAMPLES), ...answers]
  const steps = [...new Set(answers.map(({ step }) => step))].sort((a, b) => a - b)
  const crowded = !steps.includes(sample.step) && steps.length >= MOST_ANSWERED
  const left = new Set(crowded ? steps.filter((_, place) => place % 2 === 1) : [])
  const others = answers.filter(({ step, prompt }) => !left.has(step) && (step !== sample.step || prompt !== sample.prompt))
  return [...ofRows, ...[...others, sample].sort((a, b) => a.step - b.step)]
}
