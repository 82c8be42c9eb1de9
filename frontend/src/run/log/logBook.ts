/** The newest lines of a run's log with a level each, outside Redux, in constant memory. */

import { Notifier } from '@/lib/notifier'
import { Ring } from './ring'

export type LogLevel = 'info' | 'warning' | 'error'
/** `number` counts from 1 over all lines ever received, so it stays when older lines are dropped. */
export type LogLine = { readonly number: number; readonly text: string; readonly level: LogLevel }

export const LOG_CAPACITY = 10_000

const ERROR = /\b(error|failed|failure|exception|traceback|fatal|killed|out of memory|panic)\b/i
const WARNING = /\b(warn|warning|deprecated|caution|nan)\b/i

export function levelOf(text: string): LogLevel {
  if (ERROR.test(text) || /^\s*\w+(Error|Exception)\b/.test(text)) return 'error'
  return WARNING.test(text) || /\w+Warning:/.test(text) ? 'warning' : 'info'
}

export class LogBook extends Notifier {
  private readonly ring: Ring<LogLine>

  constructor(capacity: number = LOG_CAPACITY) {
    super()
    this.ring = new Ring(capacity)
  }

  static from(lines: readonly string[]): LogBook {
    const book = new LogBook(Math.max(LOG_CAPACITY, lines.length))
    book.replace(lines)
    return book
  }

  get length(): number {
    return this.ring.length
  }

  get dropped(): number {
    return this.ring.dropped
  }

  lines(): LogLine[] {
    return this.ring.toArray()
  }

  replace(lines: readonly string[]): void {
    this.ring.clear()
    this.add(lines)
    this.changed()
  }

  append(lines: readonly string[]): void {
    if (lines.length === 0) return
    this.add(lines)
    this.changed()
  }

  private add(lines: readonly string[]): void {
    for (const text of lines) {
      this.ring.push({ number: this.ring.total + 1, text, level: levelOf(text) })
    }
  }
}

export type LogFilter = { readonly text: string; readonly levels: ReadonlySet<LogLevel> }

/** Plain text, any case: what the user types is never a pattern, so "(" is just a bracket. */
export function filterLines(lines: readonly LogLine[], filter: LogFilter): readonly LogLine[] {
  const wanted = filter.text.trim().toLowerCase()
  if (wanted === '' && filter.levels.size === 3) return lines
  return lines.filter(
    (line) =>
      filter.levels.has(line.level) && (wanted === '' || line.text.toLowerCase().includes(wanted)),
  )
}

export type Piece = { readonly text: string; readonly hit: boolean }

/** A line cut where `search` occurs, for highlighting without HTML. */
export function splitByMatch(text: string, search: string): readonly Piece[] {
  const wanted = search.trim().toLowerCase()
  if (wanted === '') return [{ text, hit: false }]
  const pieces: Piece[] = []
  const lower = text.toLowerCase()
  // Lower-casing may change a text's length (İ); then the cut would be off, so nothing is marked.
  if (lower.length !== text.length) return [{ text, hit: false }]
  let from = 0
  for (let at = lower.indexOf(wanted); at !== -1; at = lower.indexOf(wanted, from)) {
    if (at > from) pieces.push({ text: text.slice(from, at), hit: false })
    from = at + wanted.length
    pieces.push({ text: text.slice(at, from), hit: true })
  }
  if (from < text.length) pieces.push({ text: text.slice(from), hit: false })
  return pieces
}
