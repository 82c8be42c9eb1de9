/** Starts a run and goes to where it can be watched, or adds it to the queue and stays here. */
import { nanoid } from '@reduxjs/toolkit'
import { useCallback } from 'react'
import { useDispatch } from 'react-redux'
import { useNavigate } from 'react-router'
import { readProblem } from '@/api/errors'
import { useStartEnhancedMutation, type EnhancedStart } from '@/api/generated'
import { toastRaised } from '@/ui/feedback/toastSlice'

export function useEnhancedStart() {
  const [send, { isLoading, error }] = useStartEnhancedMutation()
  const navigate = useNavigate()
  const dispatch = useDispatch()
  const start = useCallback(
    async (request: EnhancedStart, { queue }: { readonly queue: boolean }) => {
      // The same key for a repeated send of this press, so that it can't start two runs.
      const enhancedStart = queue ? { ...request, queue } : request
      const { data } = await send({ enhancedStart, 'idempotency-key': nanoid() })
      if (data?.status === 'started') await navigate('/training')
      if (data?.status === 'queued') {
        dispatch(toastRaised({ level: 'good', message: `Added to the queue. ${data.message}` }))
      }
    },
    [dispatch, navigate, send],
  )
  return { start, starting: isLoading, problem: readProblem(error) }
}
