/** The form's edits live here and nowhere else; everything shown is derived from them. */
import { useCallback, useEffect, useMemo, useReducer, useState } from 'react'
import type { Problem } from '@/api/errors'
import type { Field, FieldName } from '@/api/fields'
import type { ModelInfo, RunDefaults } from '@/api/generated'
import { applies } from './applies'
import type { Draft, Edits } from './fieldRules'
import { defaultsFor, edited, toRequest, unusualFields, valuesOf, type Outcome, type Values } from './form'
import { forgetForm, recallForm, rememberForm, type Level, type Remembered } from './formMemory'
import type { TrainingFile } from './fileDefaults'
import { useOpenedModel } from '@/start/model/useOpenedModel'
import { fieldIn, specFor, type FormSpec } from './spec'

type FormEvent =
  | { readonly type: 'fieldEdited'; readonly name: FieldName; readonly draft: Draft }
  | { readonly type: 'editsReplaced'; readonly edits: Edits }
  | { readonly type: 'levelChosen'; readonly level: Level }

export function formReducer(state: Remembered, event: FormEvent): Remembered {
  switch (event.type) {
    case 'fieldEdited':
      return { ...state, edits: edited(state.edits, event.name, event.draft) }
    case 'editsReplaced':
      return { ...state, edits: event.edits }
    case 'levelChosen':
      return { ...state, level: event.level }
  }
}

type Options = {
  readonly models: readonly ModelInfo[]
  readonly taken: ReadonlySet<string>
  readonly chosen?: RunDefaults | undefined
}

export type StartForm<Request = unknown> = Outcome<Request> & {
  readonly spec: FormSpec
  readonly defaults: Values
  readonly values: Values
  readonly unusual: readonly FieldName[]
  readonly edits: Edits
  readonly level: Level
  readonly model: ModelInfo | null
  /** Why the chosen folder could not be described. */
  readonly modelProblem: Problem | null
  readonly field: (name: FieldName) => Field
  /** The fields of a card that have an effect now, from the schema's own marks. */
  readonly fieldsOf: (group: string, level: Level) => readonly FieldName[]
  readonly set: (name: FieldName, draft: Draft) => void
  readonly replace: (edits: Edits) => void
  readonly chooseLevel: (level: Level) => void
  readonly reset: () => void
  /** The longest row of the training file, when it is known: the length follows it. */
  readonly measure: (file: TrainingFile) => void
}

/** `specOf` may look at the edits: which fields there are can follow from one of them. */
export function useStartForm<Request>(specOf: (edits: Edits) => FormSpec, { models, taken, chosen }: Options): StartForm<Request> {
  const [state, dispatch] = useReducer(formReducer, undefined, () => recallForm(specOf({})))
  const { edits, level } = state
  const base = specOf(edits)
  const listed = useMemo(() => chosenModel(models, edits.model_path), [models, edits.model_path])
  const { opened, problem: modelProblem } = useOpenedModel(listed, edits.model_path)
  const model = listed ?? opened
  const spec = useMemo(() => specFor(base, model), [base, model])
  useEffect(() => rememberForm(spec, state), [spec, state])

  const [measured, measure] = useState<TrainingFile | null>(null)
  const path = String(edits.train_data_path ?? '').trim()
  const longest = measured?.path === path ? measured.longest : null
  const file = useMemo(() => ({ path, longest }), [path, longest])
  const derived = useMemo(() => {
    const defaults = defaultsFor(spec, { model, taken, file, chosen })
    const values = valuesOf(edits, defaults)
    return { defaults, values, unusual: unusualFields(spec, edits, defaults), ...toRequest<Request>(spec, values) }
  }, [spec, edits, model, taken, file, chosen])

  const { values } = derived
  const field = useCallback((name: FieldName) => fieldIn(spec, name), [spec])
  const fieldsOf = useCallback(
    (group: string, of: Level) =>
      spec.fields
        .filter((each) => each.group === group && each.level === of)
        .map((each) => each.name as FieldName)
        .filter((name) => !spec.noControl.includes(name) && applies(spec, values, name)),
    [spec, values],
  )
  const set = useCallback((name: FieldName, draft: Draft) => dispatch({ type: 'fieldEdited', name, draft }), [])
  const replace = useCallback((next: Edits) => dispatch({ type: 'editsReplaced', edits: next }), [])
  const chooseLevel = useCallback((next: Level) => dispatch({ type: 'levelChosen', level: next }), [])
  const reset = useCallback(() => {
    forgetForm(spec)
    dispatch({ type: 'editsReplaced', edits: {} })
  }, [spec])
  return { ...derived, spec, edits, level, model, modelProblem, field, fieldsOf, set, replace, chooseLevel, reset, measure }
}

/** The edited choice by path or name; before any choice the demo model, else the first usable one. */
export function chosenModel(models: readonly ModelInfo[], choice: Draft | undefined): ModelInfo | null {
  if (choice !== undefined) {
    return models.find((model) => model.path === choice || model.name === choice) ?? null
  }
  const usable = models.filter((model) => model.problem === null)
  return usable.find((model) => model.defaults) ?? usable[0] ?? null
}
