/** Starts a run and goes to where it can be watched. */
import { nanoid } from '@reduxjs/toolkit'
import { useCallback } from 'react'
import { useNavigate } from 'react-router'
import { readProblem } from '@/api/errors'
import { useStartTrainingMutation, type StandardStart } from '@/api/generated'

export function useStart() {
  const [startTraining, { isLoading, error, reset }] = useStartTrainingMutation()
  const navigate = useNavigate()
  const start = useCallback(
    async (request: StandardStart) => {
      // The same key for a repeated send of this press, so that it can't start two runs.
      const answer = await startTraining({ standardStart: request, 'idempotency-key': nanoid() })
      if (answer.data) await navigate('/training')
    },
    [navigate, startTraining],
  )
  return { start, starting: isLoading, problem: readProblem(error), clear: reset }
}
