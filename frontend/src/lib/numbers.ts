/** Numbers between what people type and what is sent. */

/** Accepts 1024, 1,024, 1e-4, .5 and a real minus sign; null for anything else. */
export function parseNumber(text: string): number | null {
  const plain = text.trim().replace(/−/g, '-').replace(/(?<=\d),(?=\d{3}(\D|$))/g, '')
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain)) return null
  const value = Number(plain)
  return Number.isFinite(value) ? value : null
}

/** As one would type it: 0.0001 → 1e-4, 32 → 32, 0.05 → 0.05. */
export function numberText(value: number): string {
  if (value !== 0 && Math.abs(value) < 1e-3) {
    const [digits = '0', exponent = '0'] = value.toExponential().split('e')
    return `${digits}e${Number(exponent)}`
  }
  return String(value)
}

type Step = {
  readonly now: number
  readonly by: number
  readonly min?: number | undefined
  readonly max?: number | undefined
}

/** One step of an arrow key. It stops at the limits, and leaves a value beyond them alone. */
export function stepNumber({ now, by, min = -Infinity, max = Infinity }: Step): string {
  const next = Number((now + by).toPrecision(12))
  const beyond = by > 0 ? next > max : next < min
  return numberText(beyond ? now : next)
}
