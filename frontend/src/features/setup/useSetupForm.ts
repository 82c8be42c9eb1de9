/** The form's edits live here and nowhere else; everything shown is derived from them. */
import { useCallback, useEffect, useMemo, useReducer } from 'react'
import type { FieldName } from '@/api/fields'
import type { ModelInfo } from '@/api/generated'
import type { Draft } from './fieldRules'
import { defaultsFor, edited, toRequest, unusualFields, valuesOf, type Edits } from './form'
import { forgetForm, recallForm, rememberForm, type Level, type Remembered } from './formMemory'

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
}

export type SetupForm = ReturnType<typeof useSetupForm>

export function useSetupForm({ models, taken }: Options) {
  const [state, dispatch] = useReducer(formReducer, undefined, recallForm)
  useEffect(() => rememberForm(state), [state])

  const { edits, level } = state
  const model = useMemo(() => chosenModel(models, edits.model_path), [models, edits.model_path])
  const derived = useMemo(() => {
    const defaults = defaultsFor({ model, taken })
    const values = valuesOf(edits, defaults)
    return { defaults, values, unusual: unusualFields(edits, defaults), ...toRequest(values) }
  }, [edits, model, taken])

  const set = useCallback((name: FieldName, draft: Draft) => dispatch({ type: 'fieldEdited', name, draft }), [])
  const replace = useCallback((next: Edits) => dispatch({ type: 'editsReplaced', edits: next }), [])
  const chooseLevel = useCallback((next: Level) => dispatch({ type: 'levelChosen', level: next }), [])
  const reset = useCallback(() => {
    forgetForm()
    dispatch({ type: 'editsReplaced', edits: {} })
  }, [])
  return { ...derived, edits, level, model, set, replace, chooseLevel, reset }
}

/** The edited choice by path or name; before any choice the demo model, else the first usable one. */
export function chosenModel(models: readonly ModelInfo[], choice: Draft | undefined): ModelInfo | null {
  if (choice !== undefined) {
    return models.find((model) => model.path === choice || model.name === choice) ?? null
  }
  const usable = models.filter((model) => model.problem === null)
  return usable.find((model) => model.defaults) ?? usable[0] ?? null
}
