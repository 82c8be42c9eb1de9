/** Starts a run and goes to where it can be watched, or adds it to the queue and stays here. */
import { nanoid } from '@reduxjs/toolkit'
import { useCallback } from 'react'
import { useDispatch } from 'react-redux'
import { useNavigate } from 'react-router'
import { readProblem } from '@/api/errors'
import { useStartEnhancedMutation, useStartTrainingMutation } from '@/api/generated'
import { toastRaised } from '@/ui/feedback/toastSlice'
import { namesMethod, type StartRequest } from './startKinds'

export function useStart() {
  const [startTraining, standard] = useStartTrainingMutation()
  const [startEnhanced, enhanced] = useStartEnhancedMutation()
  const navigate = useNavigate()
  const dispatch = useDispatch()
  const start = useCallback(
    async (request: StartRequest, { queue = false }: { readonly queue?: boolean } = {}) => {
      // The same key for a repeated send of this press, so that it can't start two runs.
      const key = { 'idempotency-key': nanoid() }
      const more = queue ? { queue } : {}
      const { data } = namesMethod(request)
        ? await startEnhanced({ enhancedStart: { ...request, ...more }, ...key })
        : await startTraining({ standardStart: { ...request, ...more }, ...key })
      if (data?.status === 'started') await navigate('/training')
      if (data?.status === 'queued') {
        dispatch(toastRaised({ level: 'good', message: `Added to the queue. ${data.message}` }))
      }
    },
    [dispatch, navigate, startEnhanced, startTraining],
  )
  return { start, starting: standard.isLoading || enhanced.isLoading, problem: readProblem(standard.error ?? enhanced.error) }
}
