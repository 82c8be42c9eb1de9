/** Fills the form with the configuration of a session that the Results page handed over. */
import { useEffect } from 'react'
import { useDispatch, useSelector } from 'react-redux'
import { selectSetupAsked, setupFilled } from '@/api/handoffSlice'
import { toastRaised } from '@/ui/toastSlice'
import { handedEdits } from '@/form/form'
import { SETUP } from './spec'
import type { StartForm } from '@/form/useStartForm'

type Options = {
  readonly replace: StartForm['replace']
  /** Adapter names in use; null until that is known, since the copy needs one of its own. */
  readonly taken: ReadonlySet<string> | null
}

export function useHandedForm({ replace, taken }: Options): void {
  const asked = useSelector(selectSetupAsked)
  const dispatch = useDispatch()
  useEffect(() => {
    if (!asked || taken === null) return
    replace(handedEdits(SETUP, asked.config, taken))
    dispatch(setupFilled())
    dispatch(toastRaised({ level: 'good', message: `The form is filled from “${asked.name}”.`, hint: null }))
  }, [asked, dispatch, replace, taken])
}
