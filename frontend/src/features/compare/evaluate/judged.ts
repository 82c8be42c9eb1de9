/** A judge's word on one answer; its shape is the judge's, so nothing is taken for granted. */

export function judgedWords(judged: { readonly [key: string]: unknown } | null | undefined): string | null {
  if (!judged) return null
  const problem = judged['problem']
  if (typeof problem === 'string') return `The judge failed: ${problem}`
  const scores = Object.entries(judged).flatMap(([name, value]) => {
    if (typeof value === 'number') return [`${name.replaceAll('_', ' ')} ${value}`]
    const score = typeof value === 'object' && value !== null ? (value as { score?: unknown }).score : null
    return typeof score === 'number' ? [`${name.replaceAll('_', ' ')} ${score}`] : []
  })
  const reason = typeof judged['reason'] === 'string' ? judged['reason'] : null
  const said = [scores.join(', '), reason].filter(Boolean).join('. ')
  return said === '' ? null : `Judge: ${said}`
}
