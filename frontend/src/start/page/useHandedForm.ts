/** Fills a form with the configuration of a session that the Results page handed over. */
import { useEffect } from 'react'
import { useDispatch, useSelector } from 'react-redux'
import { handedTo, selectSetupAsked, setupFilled, type StartPath } from './handoffSlice'
import { toastRaised } from '@/ui/feedback/toastSlice'
import { handedEdits } from '@/start/fields/form'
import type { FormSpec } from '@/start/fields/spec'
import type { StartForm } from '@/start/fields/useStartForm'

type Options = {
  readonly page: StartPath
  /** Every field that the page may have. */
  readonly spec: FormSpec
  readonly replace: StartForm['replace']
  /** Adapter names in use; null until that is known, since the copy needs one of its own. */
  readonly taken: ReadonlySet<string> | null
}

export function useHandedForm({ page, spec, replace, taken }: Options): void {
  const asked = useSelector(selectSetupAsked)
  const dispatch = useDispatch()
  useEffect(() => {
    if (!asked || taken === null || handedTo(asked) !== page) return
    replace(handedEdits(spec, asked.config, taken))
    dispatch(setupFilled())
    dispatch(toastRaised({ level: 'good', message: `Settings loaded from “${asked.name}”.`, hint: null }))
  }, [asked, dispatch, page, replace, spec, taken])
}
