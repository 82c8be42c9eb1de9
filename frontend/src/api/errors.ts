/** Any failed call → a sentence, what to do, and problems by field. */

export type Problem = {
  readonly status: number | null
  readonly code: string
  readonly detail: string
  readonly hint: string | null
  readonly fields: Readonly<Record<string, string>>
  /** The call never reached the server, which may still be starting. */
  readonly offline: boolean
}

export function readProblem(error: unknown): Problem | null {
  if (error === undefined || error === null) return null
  const { status, data, message } = asRecord(error)
  if (typeof status === 'number') return fromAnswer(status, asRecord(data))
  if (status === 'PARSING_ERROR') {
    const code = asRecord(error)['originalStatus']
    if (typeof code === 'number' && code >= 502 && code <= 504) return unreachable()
    return problem({ code: 'BadAnswer', detail: 'The server gave an answer that could not be read.' })
  }
  if (status === 'FETCH_ERROR' || status === 'TIMEOUT_ERROR') return unreachable()
  return problem({ detail: typeof message === 'string' ? message : 'Something unexpected went wrong.' })
}

function unreachable(): Problem {
  return problem({
    code: 'Offline',
    detail: 'Can’t reach the app’s server.',
    hint: 'It may still be starting. Reconnecting…',
    offline: true,
  })
}

function fromAnswer(status: number, body: Readonly<Record<string, unknown>>): Problem {
  const text = (key: string) => (typeof body[key] === 'string' ? body[key] : null)
  const errors = Array.isArray(body['errors']) ? body['errors'].map(asRecord) : []
  // Of several of one field, the first is named: line 1 before line 20.
  const fields = Object.fromEntries(
    errors.toReversed().map((each) => [String(each['field'] ?? ''), String(each['message'] ?? '')]),
  )
  // A development proxy answers 500 with an empty body while the server behind it is down.
  const offline = status >= 502 && status <= 504 && text('error') === null
  if (offline) return unreachable()
  return problem({
    status,
    code: text('error') ?? `HTTP ${status}`,
    detail: text('detail') ?? `The server answered ${status} without saying why.`,
    hint: text('hint'),
    fields,
  })
}

function problem(part: Partial<Problem>): Problem {
  return { status: null, code: 'Error', detail: '', hint: null, fields: {}, offline: false, ...part }
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
