/** Placeholder until the page lands. */
export function ResultsPage() {
  return null
}
