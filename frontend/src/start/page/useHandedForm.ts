/** Fills a form with what another page handed over: a session's configuration, or a data file. */
import { useEffect } from 'react'
import { useDispatch, useSelector } from 'react-redux'
import { baseName } from '@/lib/format'
import { fileHandedTo, fileTaken, handedTo, selectFileAsked, selectSetupAsked, setupFilled, type StartPath } from './handoffSlice'
import { toastRaised } from '@/ui/feedback/toastSlice'
import { handedEdits } from '@/start/fields/form'
import type { FormSpec } from '@/start/fields/spec'
import type { StartForm } from '@/start/fields/useStartForm'

type Options = {
  readonly page: StartPath
  /** Every field that the page may have. */
  readonly spec: FormSpec
  readonly replace: StartForm['replace']
  readonly set: StartForm['set']
  /** Adapter names in use; null until that is known, since the copy needs one of its own. */
  readonly taken: ReadonlySet<string> | null
}

export function useHandedForm({ page, spec, replace, set, taken }: Options): void {
  const asked = useSelector(selectSetupAsked)
  const file = useSelector(selectFileAsked)
  const dispatch = useDispatch()
  useEffect(() => {
    if (!file || fileHandedTo(file) !== page) return
    if (file.method !== null) set('training_method', file.method)
    set('train_data_path', file.path)
    set('val_data_path', file.valid ?? '')
    dispatch(fileTaken())
    dispatch(toastRaised({ level: 'good', message: `${baseName(file.path)} is chosen as the training file.`, hint: null }))
  }, [file, dispatch, page, set])
  useEffect(() => {
    if (!asked || taken === null || handedTo(asked) !== page) return
    replace(handedEdits(spec, asked.config, taken))
    dispatch(setupFilled())
    dispatch(toastRaised({ level: 'good', message: `Settings loaded from “${asked.name}”.`, hint: null }))
  }, [asked, dispatch, page, replace, spec, taken])
}
