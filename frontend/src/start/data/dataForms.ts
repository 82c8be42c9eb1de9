/** The forms that rows can have, the fields of each, and names for what is written. */
import type { ConvertRequest } from '@/api/generated'
import { baseName } from '@/lib/format'

export type Form = ConvertRequest['to']

export type FormInfo = {
  readonly id: Form
  readonly name: string
  readonly use: string
  /** Needed fields, then those that may be left out. */
  readonly fields: readonly string[]
  readonly optional: readonly string[]
}

export const FORMS: readonly FormInfo[] = [
  { id: 'chat', name: 'Chat', use: 'Fine-tuning, with the model’s own chat template', fields: ['messages'], optional: ['tools'] },
  { id: 'completions', name: 'Prompt and completion', use: 'Fine-tuning on single answers', fields: ['prompt', 'completion'], optional: [] },
  { id: 'text', name: 'Text', use: 'Fine-tuning on plain text, roles spelled out', fields: ['text'], optional: [] },
  { id: 'grpo', name: 'Prompt and answer', use: 'GRPO, GSPO, Dr. GRPO', fields: ['prompt', 'answer'], optional: ['system'] },
  { id: 'preference', name: 'Preference', use: 'DPO, ORPO, CPO: a chosen and a rejected answer', fields: ['prompt', 'chosen', 'rejected'], optional: ['system'] },
  { id: 'alpaca', name: 'Alpaca', use: 'For other tools', fields: ['instruction', 'output'], optional: ['input', 'system'] },
  { id: 'sharegpt', name: 'ShareGPT', use: 'For other tools', fields: ['conversations'], optional: ['system'] },
]

export function formInfo(id: Form): FormInfo {
  const found = FORMS.find((form) => form.id === id)
  if (!found) throw new Error(`No form ${id}`)
  return found
}

export function formName(id: string | null | undefined): string {
  return FORMS.find((form) => form.id === id)?.name ?? 'Unknown format'
}

/** `rows.csv` as grpo → `rows-grpo.jsonl`; a folder's training file is named for its folder. */
export function convertedName(path: string, to: Form): string {
  return `${stemOf(path)}-${to}.jsonl`
}

export function splitFolder(path: string): string {
  return `${stemOf(path)}-split`
}

/** The name of a file without its ending; of a folder's training file, the folder's. */
export function stemOf(path: string): string {
  const name = baseName(path)
  const stem = name.replace(/\.[^.]+$/, '')
  return stem === 'train' ? baseName(path.slice(0, -name.length)) || stem : stem
}

export type Mapping = Readonly<Record<string, string>>

/** Rows of a file, as they are in it. */
type Sample = readonly Readonly<Record<string, unknown>>[]

/** Columns named like the fields, and the usual other names; for a question and its answer also the first two columns of text. */
export function guessMapping(form: FormInfo, columns: readonly string[], sample: Sample = []): Mapping {
  const lower = new Map(columns.map((column) => [column.toLowerCase(), column]))
  const found: Record<string, string> = {}
  for (const field of [...form.fields, ...form.optional]) {
    const column = [field, ...(OTHER_NAMES[field] ?? [])].map((name) => lower.get(name)).find(Boolean)
    if (column) found[field] = column
  }
  if (form.fields.length === 2) {
    const texts = columns.filter((column) => !Object.values(found).includes(column) && sample.length > 0 && sample.every((row) => isText(row[column])))
    const same = form.optional.includes('system') && !found['system'] ? texts.find((column) => isSame(sample, column)) : undefined
    if (same) found['system'] = texts.splice(texts.indexOf(same), 1)[0] ?? same
    for (const field of form.fields) {
      const column = found[field] ?? texts.shift()
      if (column) found[field] = column
    }
  }
  return found
}

/** A word or more; not a number, a name of a class or a key. */
function isText(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== '' && Number.isNaN(Number(value))
}

/** One sentence in every row is no question and no answer of it: it instructs. A single word is the name of a class. */
function isSame(sample: Sample, column: string): boolean {
  const first = sample[0]?.[column]
  return sample.length > 1 && /\s|[.!?:]$/.test(String(first).trim()) && sample.every((row) => row[column] === first)
}

/** Conversations can hardly be mapped from columns: their instruction, question and answer can. */
export function mappedForm(to: Form): FormInfo {
  const asked = to === 'chat' || to === 'sharegpt' || to === 'text' || to === 'completions'
  return asked ? { ...formInfo('completions'), optional: ['system'] } : formInfo(to)
}

const OTHER_NAMES: Readonly<Record<string, readonly string[]>> = {
  prompt: ['question', 'instruction', 'input', 'query', 'problem', 'q'],
  completion: ['response', 'answer', 'output', 'reply', 'solution', 'a'],
  answer: ['solution', 'response', 'completion', 'output', 'target'],
  chosen: ['good', 'preferred', 'completion', 'response'],
  rejected: ['bad', 'worse', 'dispreferred'],
  instruction: ['prompt', 'question'],
  output: ['response', 'answer', 'completion'],
  messages: ['conversation', 'conversations', 'chat'],
  text: ['content', 'document', 'body'],
  system: ['system_prompt', 'context'],
}
