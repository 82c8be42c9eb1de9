/**
 * Server-sent events out of the pieces of a body, as the HTML standard reads them (WHATWG, "Server-sent
 * events", section 9.2.6). EventSource can only GET; our long answers are asked for with POST.
 */

export type ServerEvent = { readonly event: string; readonly data: string }

/** Feed it text as it comes; a piece may end anywhere. An event without its blank line is none. */
export class SseParser {
  private rest = ''
  private event = ''
  private data: string[] = []

  push(text: string): readonly ServerEvent[] {
    const found: ServerEvent[] = []
    this.rest += text
    for (;;) {
      const end = /\r\n|\n|\r/.exec(this.rest)
      // A carriage return at the very end may be half of a pair.
      if (!end || (end[0] === '\r' && end.index === this.rest.length - 1)) return found
      const line = this.rest.slice(0, end.index)
      this.rest = this.rest.slice(end.index + end[0].length)
      const whole = this.line(line)
      if (whole) found.push(whole)
    }
  }

  private line(line: string): ServerEvent | null {
    if (line === '') return this.dispatch()
    const colon = line.indexOf(':')
    if (colon === 0) return null // A comment, sent to keep a connection open.
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') this.event = value
    else if (field === 'data') this.data.push(value)
    return null
  }

  private dispatch(): ServerEvent | null {
    const { event, data } = this
    this.event = ''
    this.data = []
    return data.length === 0 ? null : { event: event || 'message', data: data.join('\n') }
  }
}
