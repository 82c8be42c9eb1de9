/** Setup's form: its fields are always the same. */
import type { StandardStart } from '@/api/generated'
import type { FormSpec } from '@/start/fields/spec'
import { useStartForm, type StartForm } from '@/start/fields/useStartForm'
import { SETUP } from './setupSpec'

export type SetupForm = StartForm<StandardStart>

const always = (): FormSpec => SETUP

export function useSetupForm(around: Parameters<typeof useStartForm>[1]): SetupForm {
  return useStartForm<StandardStart>(always, around)
}
