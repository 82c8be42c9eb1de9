/** Numbers as people read them. Unknown is "—", never 0. */

export const UNKNOWN = '—'
type Maybe = number | null | undefined

const known = (value: Maybe): value is number => value !== null && value !== undefined && Number.isFinite(value)

/** 7,329 */
export function count(value: Maybe): string {
  return known(value) ? Math.round(value).toLocaleString('en-US') : UNKNOWN
}

/** Up to `digits` significant digits, with no trailing zeros: 0.447, 2.31, 1e-4. */
export function compact(value: Maybe, digits = 3): string {
  if (!known(value)) return UNKNOWN
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (size < 1e-3 || size >= 1e7) return trimExponent(value.toExponential(digits - 1))
  return Number(value.toPrecision(digits)).toLocaleString('en-US', { maximumSignificantDigits: Math.max(digits, 1) })
}

/** A loss, with a width that does not change: 0.447, 12.345. One too small for that is not 0. */
export function loss(value: Maybe): string {
  if (!known(value)) return UNKNOWN
  return value !== 0 && Math.abs(value) < 0.0005 ? compact(value, 2) : value.toFixed(3)
}

/** Parameters: 17.596M, 494.033M, 1.54B. */
export function parameters(value: Maybe): string {
  if (!known(value)) return UNKNOWN
  if (value >= 1e9) return `${(value / 1e9).toFixed(3)}B`
  if (value >= 1e6) return `${(value / 1e6).toFixed(3)}M`
  if (value >= 1e3) return `${(value / 1e3).toFixed(1)}k`
  return String(value)
}

/** Gigabytes of 10^9 bytes: 3.1 GB; small ones in MB. */
export function gigabytes(value: Maybe): string {
  if (!known(value)) return UNKNOWN
  if (value < 1) return `${Math.max(value * 1000, 0).toFixed(value < 0.01 ? 1 : 0)} MB`
  return `${value.toFixed(1)} GB`
}

export function bytes(value: Maybe): string {
  if (!known(value)) return UNKNOWN
  if (value < 1000) return `${value} B`
  if (value < 1e6) return `${(value / 1e3).toFixed(0)} kB`
  return gigabytes(value / 1e9)
}

/** A clock that keeps its width: 0:42, 11:42, 1:02:05. */
export function clock(seconds: Maybe): string {
  if (!known(seconds)) return UNKNOWN
  const whole = Math.max(0, Math.round(seconds))
  const pad = (part: number) => String(part).padStart(2, '0')
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  return h > 0 ? `${h}:${pad(m)}:${pad(s)}` : `${m}:${pad(s)}`
}

/** A rough length of time in words: 40 s, 14 min, 2 h 5 min. */
export function duration(seconds: Maybe): string {
  if (!known(seconds)) return UNKNOWN
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 90) return `${minutes} min`
  const rest = minutes % 60
  return rest ? `${Math.floor(minutes / 60)} h ${rest} min` : `${minutes / 60} h`
}

/** A percentage of 0–100: 3.562 %. */
export function percent(value: Maybe, digits = 1): string {
  return known(value) ? `${value.toFixed(digits)} %` : UNKNOWN
}

/** "1 row", "842 rows". */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`
}

/** The last part of a path of either kind. */
export function baseName(path: string): string {
  return path.replace(/[/\\]+$/, '').split(/[/\\]/).pop() ?? path
}

/** A time of day today, else a date: 14:05, 3 Nov 2026. */
export function moment(iso: string | null | undefined, now = new Date()): string {
  if (!iso) return UNKNOWN
  const at = new Date(iso)
  if (Number.isNaN(at.getTime())) return UNKNOWN
  const sameDay = at.toDateString() === now.toDateString()
  return sameDay
    ? at.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })
    : at.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })
}

/** With seconds, for what was heard last: 20:56:20. */
export function timeOfDay(at: number): string {
  return new Date(at).toLocaleTimeString('en-GB')
}

function trimExponent(text: string): string {
  return text.replace(/\.?0+e/, 'e').replace('e+', 'e')
}
