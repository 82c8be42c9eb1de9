/** Asks the server what a start would do and what it needs, a moment after the last edit. Stale answers are dropped. */
import { skipToken } from '@reduxjs/toolkit/query'
import { useCallback, useMemo } from 'react'
import { readProblem } from '@/api/errors'
import { usePreviewEnhancedQuery, usePreviewTrainingQuery, type EnhancedStart, type StandardStart } from '@/api/generated'
import { refetchFresh } from '@/api/refetchFresh'
import { useJob } from '@/api/useJob'
import type { PreviewState } from './previewState'
import { useBackOff } from '@/lib/useBackOff'
import { useDebounced } from '@/lib/useDebounced'

const SETTLE_MS = 350

/** A request that names a method goes to the route of methods. */
export function usePreview(request: StandardStart | EnhancedStart | null): PreviewState {
  // As text, so that an edit that changes nothing of the question asks nothing again.
  const question = request ? JSON.stringify({ ...request, ...NOTHING_ASKED }) : null
  const settled = useDebounced(question, SETTLE_MS)
  const asked = useMemo(() => (settled ? (JSON.parse(settled) as StandardStart | EnhancedStart) : null), [settled])
  const enhanced = asked !== null && 'training_method' in asked ? asked : null
  const standard = asked !== null && enhanced === null ? asked : null
  const options = { refetchOnMountOrArgChange: true }
  const ofStandard = usePreviewTrainingQuery(standard ? { standardStart: standard } : skipToken, options)
  const ofEnhanced = usePreviewEnhancedQuery(enhanced ? { enhancedStart: enhanced } : skipToken, options)
  const { currentData, data, error, isFetching, refetch } = enhanced ? ofEnhanced : ofStandard
  const renders = currentData?.data.rendering_job ?? null
  const again = useCallback(() => (renders === null ? undefined : void refetchFresh(refetch)), [renders, refetch])
  const rendering = useJob(renders, again)
  const current = question !== null && question === settled && !isFetching
  const problem = current ? readProblem(error) : null
  useBackOff(problem?.offline === true, refetch)
  return {
    preview: question === null ? null : (currentData ?? data ?? null),
    fresh: current && currentData !== undefined && problem === null,
    waiting: question !== null && !current,
    problem,
    rendered: rendering !== null && !rendering.over ? rendering.progress : null,
    retry: refetch,
  }
}

/** Notes and tags change nothing that a preview says. */
const NOTHING_ASKED = { notes: undefined, tags: undefined }
