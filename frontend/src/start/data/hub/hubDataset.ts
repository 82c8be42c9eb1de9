/** What is asked for of a data set of the hub, and what can be said of it before it is here. */
import type { DatasetDownloadRequest, HubConfigInfo, HubDatasetInfo, KnownForm, KnownSet } from '@/api/generated'
import type { StartPath } from '@/start/page/handoffSlice'
import { FORMS, type Form, type Mapping } from '@/start/data/dataForms'
import { bytes, count, plural } from '@/lib/format'
import { parseNumber } from '@/lib/numbers'

const SHAPE = /^(?:[A-Za-z0-9][\w.-]{0,95}\/)?[A-Za-z0-9][\w.-]{0,95}$/

/** The name in what people paste: an address of the hub, with or without a file's path. */
export function datasetIdOf(text: string): string {
  const address = /^(?:https?:\/\/)?(?:www\.)?(?:huggingface\.co|hf\.co)\/(?:datasets\/)?(.+)$/.exec(text.trim())
  const name = address?.[1] ?? text.trim().replace(/^datasets\//, '')
  return address ? (name.split(/[?#]/)[0]?.split('/').slice(0, 2).join('/') ?? '') : name
}

export function datasetIdProblem(text: string): string | null {
  const id = datasetIdOf(text)
  if (id === '') return 'Give the name of a data set, for example openai/gsm8k.'
  if (!SHAPE.test(id) || id.includes('..')) return 'A data set’s name is organisation/name, as on huggingface.co.'
  return null
}

/** Forms that rows are trained in; '' keeps them as they are. */
export const ROW_FORMS: readonly { readonly value: Form | ''; readonly label: string }[] = [
  ...FORMS.filter(({ id }) => id !== 'alpaca' && id !== 'sharegpt').map(({ id, name }) => ({ value: id, label: name })),
  { value: '', label: 'As they are' },
]

export const TOPICS: Readonly<Record<KnownSet['topic'], string>> = {
  mathematics: 'Mathematics',
  reasoning: 'Reasoning',
  finance: 'Finance',
  preference: 'Preference',
}

/** The method of Enhanced Setup that learns from such rows; null for Setup. */
export function methodOfForm(form: Form | '' | null | undefined, page: StartPath): string | null {
  if (form === 'grpo') return 'grpo'
  if (form === 'preference') return 'dpo'
  return page === '/enhanced-setup' ? 'sft' : null
}

export type Choice = {
  readonly config: string | null
  readonly split: string | null
  readonly form: Form | '' | null
  /** Null: the columns as the catalogue or their names say. */
  readonly mapping: Mapping | null
  readonly answerAfter: string | null
  readonly limit: string
  readonly name: string
}

export const NOTHING: Choice = { config: null, split: null, form: null, mapping: null, answerAfter: null, limit: '', name: '' }

export type Chosen = {
  readonly config: HubConfigInfo | undefined
  readonly split: HubConfigInfo['splits'][number] | undefined
  readonly form: Form | ''
  readonly known: KnownForm | undefined
  readonly mapping: Mapping | null
  readonly answerAfter: string
}

/** The choice with what is not chosen filled in from the catalogue and the set itself. */
export function complete(info: HubDatasetInfo, choice: Choice): Chosen {
  const known = info.known ?? null
  const named = <T extends { readonly name: string }>(all: readonly T[], ...names: readonly (string | null | undefined)[]) =>
    names.map((name) => all.find((each) => each.name === name)).find(Boolean) ?? all[0]
  const config = named(info.configs, choice.config, known?.config, 'default')
  const split = named(config?.splits ?? [], choice.split, known?.split, 'train')
  const form = choice.form ?? known?.forms[0]?.to ?? ''
  const ready = known && (known.config === null || known.config === config?.name) ? known.forms.find(({ to }) => to === form) : undefined
  return {
    config,
    split,
    form,
    known: ready,
    mapping: form === '' ? null : (choice.mapping ?? ready?.mapping ?? null),
    answerAfter: form === 'grpo' ? (choice.answerAfter ?? ready?.answer_after ?? '') : '',
  }
}

export function limitProblem(text: string): string | null {
  if (text.trim() === '') return null
  const value = parseNumber(text)
  return value !== null && Number.isSafeInteger(value) && value >= 1 ? null : 'A whole number from 1 on, or empty for all rows.'
}

export function nameProblem(text: string): string | null {
  if (text.trim() === '' || /^[A-Za-z0-9][A-Za-z0-9._-]{0,89}$/.test(text.trim())) return null
  return 'Letters, digits, dots, dashes and underscores; it is written as <name>.jsonl.'
}

export function requestOf(info: HubDatasetInfo, choice: Choice): DatasetDownloadRequest {
  const { config, split, form, mapping, answerAfter } = complete(info, choice)
  return {
    repo_id: info.repo_id,
    revision: info.revision,
    config: config?.name ?? null,
    split: split?.name ?? null,
    ...(form === '' ? {} : { to: form, ...(mapping ? { mapping: { ...mapping } } : {}), ...(answerAfter ? { answer_after: answerAfter } : {}) }),
    ...(choice.limit.trim() === '' ? {} : { limit: parseNumber(choice.limit) }),
    ...(choice.name.trim() === '' ? {} : { name: choice.name.trim() }),
  }
}

/** Which rows a download is of, in short. */
export function rowsWords({ config, split, to, limit }: DatasetDownloadRequest): string {
  const form = FORMS.find(({ id }) => id === to)
  const parts = [config === 'default' ? null : config, split, form?.name, limit == null ? null : `${count(limit)} rows at most`]
  return parts.filter(Boolean).join(' · ')
}

/** Size of a split, and its rows where the card says them. */
export function splitWords(split: HubConfigInfo['splits'][number]): string {
  const rows = split.rows === null ? 'rows: —' : plural(split.rows, 'row')
  return `${rows} · ${bytes(split.size_bytes)} in ${plural(split.files, 'file')}`
}

/** "prompt from question, answer from solution". */
export function mappingWords(mapping: Mapping): string {
  return Object.entries(mapping)
    .map(([field, column]) => (field === column ? field : `${field} from ${column}`))
    .join(', ')
}
