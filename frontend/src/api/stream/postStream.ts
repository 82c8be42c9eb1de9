/** A POST whose answer is a stream of events: each piece of the body gives what it completes. */
import { readProblem, type Problem } from '@/api/errors'
import { SseParser, type ServerEvent } from './sse'

/** The server refused before the stream began, or could not be reached. */
export class StreamRefused extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail)
  }
}

/**
 * Events in the groups in which they arrive, so that a page draws once per group.
 * Throws StreamRefused, or the AbortError of `signal`.
 */
export async function* postStream(
  path: string,
  body: unknown,
  signal: AbortSignal,
): AsyncGenerator<readonly ServerEvent[], void> {
  const response = await send(path, body, signal)
  if (!response.ok || !response.body) throw refused({ status: response.status, data: await json(response) })
  const reader = response.body.getReader()
  const decoder = new TextDecoder()
  const parser = new SseParser()
  try {
    for (;;) {
      const { done, value } = await piece(reader, signal)
      const events = parser.push(decoder.decode(value, { stream: !done }))
      if (events.length > 0) yield events
      if (done) return
    }
  } finally {
    // Whoever stops listening also ends the work behind it. It may be over or torn already.
    reader.cancel().catch(() => undefined)
  }
}

async function send(path: string, body: unknown, signal: AbortSignal): Promise<Response> {
  // An absolute address and a Request, as RTK Query sends them.
  const request = new Request(new URL(path, globalThis.location.href), {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify(body),
    signal,
  })
  try {
    return await fetch(request)
  } catch (error) {
    throw signal.aborted ? error : refused({ status: 'FETCH_ERROR' })
  }
}

async function piece(reader: ReadableStreamDefaultReader<Uint8Array>, signal: AbortSignal) {
  try {
    return await reader.read()
  } catch (error) {
    throw signal.aborted ? error : refused({ status: 'FETCH_ERROR' })
  }
}

async function json(response: Response): Promise<unknown> {
  try {
    return (await response.json()) as unknown
  } catch {
    return {}
  }
}

function refused(error: unknown): StreamRefused {
  const problem = readProblem(error)
  if (!problem) throw new TypeError('A refusal without a problem.')
  return new StreamRefused(problem)
}
