/** Which file, model, limit and row the page shows: in its address, so that links lead to a row. */
import { useCallback, useMemo } from 'react'
import { useSearchParams } from 'react-router'
import { parseNumber } from '@/lib/numbers'
import { readStored, writeStored } from '@/lib/storage'
import { recallForm } from '@/start/fields/formMemory'
import { SETUP } from '@/start/page/setupSpec'
import type { Place } from '@/features/data/rows/RowCard'

const KEY = 'droid.data'
const FIRST_LIMIT = '1024'

type Remembered = { readonly path: string; readonly model: string; readonly limit: string }

export function useDataPlace() {
  const [query, setQuery] = useSearchParams()
  const remembered = useMemo(() => readStored(KEY, parse), [])
  const asked = useMemo(() => setupLength(), [])
  const path = query.get('path') ?? remembered?.path ?? ''
  const model = query.get('model') ?? remembered?.model ?? ''
  const limit = query.get('limit') ?? asked ?? remembered?.limit ?? FIRST_LIMIT
  const change = useCallback(
    (next: Partial<Remembered> & { readonly place?: Place | null }) => {
      setQuery(
        (old) => {
          const query = new URLSearchParams(old)
          for (const name of ['path', 'model', 'limit'] as const) {
            const value = next[name]
            if (value !== undefined) query.set(name, value)
          }
          if (next.place !== undefined) {
            query.delete('row')
            query.delete('line')
            if (next.place) query.set(next.place.by, String(next.place.number))
          }
          writeStored(KEY, {
            path: query.get('path') ?? path,
            model: query.get('model') ?? model,
            limit: query.get('limit') ?? limit,
          })
          return query
        },
        { replace: true },
      )
    },
    [setQuery, path, model, limit],
  )
  return { path, model, limit, place: placeOf(query), change }
}

/** The length that Setup was told; null where it follows the file. */
function setupLength(): string | null {
  const { max_seq_length: length } = recallForm(SETUP).edits
  return typeof length === 'string' && length !== '' ? length : null
}

function placeOf(query: URLSearchParams): Place {
  const line = wholeNumber(query.get('line'))
  if (line !== null) return { by: 'line', number: line }
  return { by: 'row', number: wholeNumber(query.get('row')) ?? 1 }
}

function wholeNumber(text: string | null): number | null {
  const value = text === null ? null : parseNumber(text)
  return value !== null && Number.isSafeInteger(value) && value >= 1 ? value : null
}

function parse(stored: unknown): Remembered | undefined {
  if (typeof stored !== 'object' || stored === null) return undefined
  const { path, model, limit } = stored as Record<string, unknown>
  if (typeof path !== 'string' || typeof model !== 'string' || typeof limit !== 'string') return undefined
  return { path, model, limit }
}
