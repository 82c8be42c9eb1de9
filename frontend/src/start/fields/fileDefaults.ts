/** Defaults that follow the training file: a name for the adapter, and a length that its rows fit. */
import { originOf } from '@/start/data/convert/origins'
import { stemOf } from '@/start/data/dataForms'
import type { Edits } from './fieldRules'
import { fieldIn, hasField, type FormSpec } from './spec'

export type TrainingFile = {
  readonly path: string
  /** Tokens of its longest row; null until they are counted. */
  readonly longest: number | null
}

/** Above the last, rows are cut unless the user asks for more: memory grows with the length. */
const LENGTHS = [256, 512, 1024, 2048, 4096] as const
const MOST_LETTERS = 80

export function fileDefaults(spec: FormSpec, file: TrainingFile | null): Edits {
  if (!file || file.path === '') return {}
  const name = adapterName(spec, file.path)
  return { ...(name ? { adapter_name: name } : {}), ...(file.longest === null ? {} : { max_seq_length: lengthFor(file.longest) }) }
}

/** `/rows/My file.jsonl` → `My-file`, with the method behind it where the page has several. A written file is called as the one it was made of. */
function adapterName(spec: FormSpec, path: string): string {
  const stem = stemOf(originOf(path))
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, MOST_LETTERS)
    .replace(/[-._]+$/, '')
  const method = hasField(spec, 'training_method') ? fieldIn(spec, 'training_method').default : null
  return stem !== '' && typeof method === 'string' && method !== '' ? `${stem}_${method}` : stem
}

function lengthFor(longest: number): string {
  return String(LENGTHS.find((length) => length >= longest) ?? LENGTHS.at(-1))
}
