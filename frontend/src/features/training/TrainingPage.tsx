/** Placeholder until the page lands. */
export function TrainingPage() {
  return null
}
