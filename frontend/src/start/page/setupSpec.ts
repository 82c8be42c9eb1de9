/** Setup's form: every field of a standard run, full-layer LoRA. */
import { FIELDS } from '@/api/fields'
import type { FormSpec } from '@/start/fields/spec'

export const SETUP: FormSpec = {
  key: 'droid.setup',
  known: new Set(FIELDS.map((field) => field.name)),
  fields: FIELDS,
  noControl: ['resume_from', 'resume_checkpoint', 'queue', 'confirm_high_scale'],
  pageDefaults: { save_every: '1000', epochs: '3', iterations: '' },
}
