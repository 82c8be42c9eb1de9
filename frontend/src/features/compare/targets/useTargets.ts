/** Who is compared: from the address, else as it was last time, else the newest adapter and its base. */
import { useCallback, useMemo } from 'react'
import { useSearchParams } from 'react-router'
import { readProblem } from '@/api/errors'
import { useAvailableModelsQuery, useListSessionsQuery, type AvailableModels, type SessionSummary } from '@/api/generated'
import { useBackOff } from '@/lib/useBackOff'
import { readStored, writeStored } from '@/lib/storage'
import { distinct, knownTargets, linkedTargets, readTarget, suggestedTargets, writeTarget, type Target } from './targets'

const KEY = 'compare-targets'
const NO_SESSIONS: readonly SessionSummary[] = []

export type Targets = ReturnType<typeof useTargets>

export function useTargets() {
  const [params, setParams] = useSearchParams()
  // Runs end and adapters come while this page is away.
  const listed = useAvailableModelsQuery(undefined, { refetchOnMountOrArgChange: true })
  const recorded = useListSessionsQuery({ limit: 200 }, { refetchOnMountOrArgChange: true })
  const available = listed.data
  const sessions = recorded.data?.sessions ?? NO_SESSIONS
  const problem = readProblem(listed.error)
  const { refetch } = listed
  const retry = useCallback(() => void refetch(), [refetch])
  useBackOff(problem !== null && !listed.isFetching, retry)

  const waiting = available === undefined || recorded.isLoading
  const { targets, missing } = useMemo(
    () => (waiting ? NONE : chosen(params, available, sessions)),
    [params, available, sessions, waiting],
  )
  const choose = useCallback(
    (next: readonly Target[]) => {
      const written = distinct(next).map(writeTarget)
      writeStored(KEY, written)
      setParams(
        (before) => {
          const after = new URLSearchParams(before)
          after.delete('adapter')
          after.delete('target')
          for (const text of written) after.append('target', text)
          return after
        },
        { replace: true },
      )
    },
    [setParams],
  )
  return { targets, missing, choose, available, sessions, problem: available ? null : problem, retry, retrying: listed.isFetching }
}

const NONE = { targets: [] as readonly Target[], missing: [] as readonly string[] }

function chosen(params: URLSearchParams, available: AvailableModels, sessions: readonly SessionSummary[]) {
  const named = readAll(params.getAll('target'))
  if (named.length > 0) return { targets: named, missing: [] }
  const linked = params.getAll('adapter')
  if (linked.length > 0) return linkedTargets(linked, available)
  const remembered = knownTargets(readAll(readStored(KEY, asTexts) ?? []), available)
  return { targets: remembered.length > 0 ? remembered : suggestedTargets(available, sessions), missing: [] }
}

function readAll(texts: readonly string[]): readonly Target[] {
  return distinct(texts.flatMap((text) => readTarget(text) ?? []))
}

function asTexts(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) && value.every((each) => typeof each === 'string') ? value : undefined
}
