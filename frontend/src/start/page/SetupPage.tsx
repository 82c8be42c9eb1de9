/** Everything that a standard run needs, and what it will cost. */
import { useCallback, useMemo, useState } from 'react'
import { useSelector } from 'react-redux'
import { useListSessionsQuery, type StandardStart } from '@/api/generated'
import { selectIsLive, selectQueue } from '@/run/reducer/runSlice'
import { ConfigDialog } from '@/start/review/config/ConfigDialog'
import { ConfirmDialog } from '@/start/review/ConfirmDialog'
import { DataCard } from '@/start/data/DataCard'
import { suggestedRun, toRequest } from '@/start/fields/form'
import { FullLayerCard } from '@/start/lora/FullLayerCard'
import { GuideCard } from './GuideCard'
import { ModelCard } from '@/start/model/ModelCard'
import { NotesCard } from '@/start/review/NotesCard'
import { ParametersCard } from '@/start/fields/ParametersCard'
import { fieldErrors, offersQueue, reviewOf, warningsOf } from '@/start/review/review'
import { ReviewBar } from '@/start/review/ReviewBar'
import { ReviewCard } from '@/start/review/ReviewCard'
import { StartActions } from '@/start/review/StartActions'
import { FormHeader } from './FormHeader'
import { namesTaken } from '@/start/review/taken'
import { touchedOnly } from '@/start/fields/touched'
import { useConfigFile } from '@/start/review/config/useConfigFile'
import { useHandedForm } from './useHandedForm'
import { useModels, useTargets } from '@/start/model/useModels'
import { usePreview } from '@/start/review/usePreview'
import { SETUP } from './setupSpec'
import { useSetupForm } from './useSetupForm'
import { useStart } from './useStart'
import { useStartKey } from './useStartKey'

export function SetupPage() {
  const list = useModels()
  const sessions = useListSessionsQuery({ limit: 1000 })
  const queue = useSelector(selectQueue)
  const taken = useMemo(() => namesTaken(sessions.data?.sessions, queue), [sessions.data, queue])
  const form = useSetupForm({ models: list.models, taken })
  useHandedForm({ page: '/setup', spec: SETUP, replace: form.replace, taken: sessions.isFetching ? null : taken })
  const { targets, problem: targetsProblem } = useTargets(form.model)
  const state = usePreview(list.loaded ? form.request : null)
  const { start, starting, problem: startProblem } = useStart()
  const live = useSelector(selectIsLive)
  const file = useConfigFile(form, 'setup')
  const [showsConfig, setShowsConfig] = useState(false)
  const [confirming, setConfirming] = useState(false)

  const errors = fieldErrors(touchedOnly(form), state.problem, startProblem)
  const review = reviewOf(SETUP, list.loaded ? form.errors : {}, state)
  const startable = review.kind === 'ready' && !starting
  // The server may know of a run that this page has not heard of yet: then a press offers the queue.
  const queues = live || offersQueue(startProblem)
  const onStart = () => {
    if (!startable || !form.request) return
    if (state.preview?.needs_confirmation) setConfirming(true)
    else void start({ ...form.request, confirm_high_scale: false }, { queue: queues })
  }
  useStartKey(onStart)

  const doubt = state.preview?.needs_confirmation
  const [warning = null] = confirming && doubt ? warningsOf(form.values, [doubt]) : []
  const onConfirm = () => {
    setConfirming(false)
    // Said for this start only: the next one is asked about again.
    if (form.request) void start({ ...form.request, confirm_high_scale: true }, { queue: queues })
  }

  const demo = list.models.find((model) => model.defaults && model.problem === null)
  const first = sessions.data !== undefined && form.values.train_data_path === '' && !live
  const demoRun = useMemo(
    () => (first && demo ? toRequest<StandardStart>(SETUP, suggestedRun(SETUP, { model: demo, taken })).request : null),
    [demo, first, taken],
  )
  const demoState = usePreview(demoRun)
  const startDemo = useCallback(() => (demoRun ? void start(demoRun) : undefined), [demoRun, start])

  const actions = (
    <StartActions
      review={review}
      live={live}
      queues={queues}
      waiting={queue.length}
      starting={starting}
      canShowConfig={state.preview !== null}
      onStart={onStart}
      onShowConfig={() => setShowsConfig(true)}
    />
  )
  const card = <ReviewCard form={form} review={review} state={state} startProblem={startProblem} actions={actions} />
  return (
    <div className="@container">
      <FormHeader
        title="Setup"
        subtitle="Supervised fine-tuning with full-layer LoRA"
        form={form}
        onSave={() => void file.save()} onLoad={file.pick} />
      {first && demo ? (
        <GuideCard
          demo={demo}
          estimate={demoState.preview?.estimated_seconds ?? null}
          starting={starting}
          onStart={startDemo}
        />
      ) : null}
      <div className="flex items-start gap-4">
        <div className="flex min-w-0 flex-1 flex-col gap-3.5">
          <div className="grid grid-cols-1 gap-3.5 @5xl:grid-cols-[minmax(0,5fr)_minmax(0,7fr)]">
            <ModelCard form={form} errors={errors} list={list} preview={state.preview} />
            <DataCard form={form} errors={errors} />
          </div>
          <ParametersCard form={form} errors={errors} preview={state.preview} />
          <FullLayerCard form={form} errors={errors} preview={state.preview} targets={targets} targetsProblem={targetsProblem} />
          {form.level === 'advanced' ? <NotesCard form={form} errors={errors} /> : null}
        </div>
        <aside className="sticky top-0 hidden w-66 shrink-0 @2xl:block @5xl:w-75">{card}</aside>
      </div>
      <ReviewBar review={review} state={state} startable={startable} queues={queues} starting={starting} onStart={onStart} card={card} />
      <ConfigDialog
        open={showsConfig}
        preview={state.preview}
        onClose={() => setShowsConfig(false)}
        onSave={() => void file.save()}
      />
      <ConfirmDialog
        warning={warning}
        onClose={() => setConfirming(false)}
        onFix={(fix) => {
          setConfirming(false)
          form.set(fix.name, fix.draft)
        }}
        onStart={onConfirm}
      />
    </div>
  )
}
