/** Everything that a run by rewards or preferences needs, and what it will cost. */
import { useMemo, useState } from 'react'
import { useSelector } from 'react-redux'
import { useListSessionsQuery } from '@/api/generated'
import { selectIsLive, selectQueue } from '@/run/reducer/runSlice'
import { ConfigDialog } from '@/start/review/config/ConfigDialog'
import { ConfirmDialog } from '@/start/review/ConfirmDialog'
import { ModelCard } from '@/start/model/ModelCard'
import { NotesCard } from '@/start/review/NotesCard'
import { ParametersCard } from '@/start/fields/ParametersCard'
import { fieldErrors, offersQueue, reviewOf, warningsOf } from '@/start/review/review'
import { ReviewBar } from '@/start/review/ReviewBar'
import { ReviewCard } from '@/start/review/ReviewCard'
import { StartActions } from '@/start/review/StartActions'
import { namesTaken } from '@/start/review/taken'
import { touchedOnly } from '@/start/fields/touched'
import { useConfigFile } from '@/start/review/config/useConfigFile'
import { useHandedForm } from './useHandedForm'
import { useModels, useTargets } from '@/start/model/useModels'
import { useStartKey } from './useStartKey'
import { FormHeader } from './FormHeader'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { Skeleton } from '@/ui/feedback/Skeleton'
import { AdapterCard } from '@/start/lora/AdapterCard'
import { EstimateFacts } from '@/start/review/EstimateFacts'
import { MethodCards } from './MethodCards'
import { MethodDataCard } from '@/start/data/MethodDataCard'
import { MethodFields } from '@/start/fields/MethodFields'
import { RewardsCard } from '@/start/rewards/RewardsCard'
import { WHOLE } from './methodSpecs'
import { useEnhancedForm } from './useEnhancedForm'
import { useEnhancedPreview } from '@/start/review/useEnhancedPreview'
import { useEnhancedStart } from './useEnhancedStart'
import { useEstimate } from '@/start/review/useEstimate'

export function EnhancedPage() {
  const list = useModels()
  const sessions = useListSessionsQuery({ limit: 1000 })
  const queue = useSelector(selectQueue)
  const taken = useMemo(() => namesTaken(sessions.data?.sessions, queue), [sessions.data, queue])
  const { form, methods, id, method, problem: methodsProblem, loaded } = useEnhancedForm({ models: list.models, taken })
  useHandedForm({ page: '/enhanced-setup', spec: WHOLE, replace: form.replace, taken: sessions.isFetching ? null : taken })
  const { targets, problem: targetsProblem } = useTargets(form.model)
  const complete = list.loaded && loaded
  const state = useEnhancedPreview(complete ? form.request : null)
  const estimation = useEstimate(form, id, state.preview?.data.rows ?? null)
  const { start, starting, problem: startProblem } = useEnhancedStart()
  const live = useSelector(selectIsLive)
  const file = useConfigFile(form, 'enhanced', WHOLE)
  const [showsConfig, setShowsConfig] = useState(false)
  const [confirming, setConfirming] = useState(false)

  const errors = fieldErrors(touchedOnly(form), state.problem, startProblem)
  const review = reviewOf(form.spec, complete ? form.errors : {}, state)
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
  const card = (
    <ReviewCard
      form={form}
      review={review}
      state={state}
      startProblem={startProblem}
      extra={<EstimateFacts estimation={estimation} />}
      actions={actions}
    />
  )
  return (
    <div className="@container">
      <FormHeader
        title="Enhanced Setup"
        subtitle="Reinforcement learning from rewards, and learning from preferences"
        form={form}
        onSave={() => void file.save()}
        onLoad={file.pick}
      />
      <div className="flex items-start gap-4">
        <div className="flex min-w-0 flex-1 flex-col gap-3.5">
          {methodsProblem && !loaded ? <ErrorPanel message={methodsProblem.detail} hint={methodsProblem.hint} /> : null}
          {loaded ? (
            <MethodCards
              methods={methods}
              chosen={id}
              onChoose={(next) => form.set('training_method', next)}
              error={errors.training_method}
            />
          ) : (
            <Skeleton className="h-52 rounded-card" />
          )}
          <div className="grid grid-cols-1 gap-3.5 @5xl:grid-cols-[minmax(0,5fr)_minmax(0,7fr)]">
            <ModelCard form={form} errors={errors} list={list} preview={state.preview} />
            {method && id !== null ? (
              <MethodDataCard form={form} id={id} method={method} errors={errors} />
            ) : (
              <Skeleton className="h-64 rounded-card" />
            )}
          </div>
          {method ? <RewardsCard form={form} method={method} errors={errors} /> : null}
          {method ? <MethodFields form={form} method={method} errors={errors} /> : null}
          <ParametersCard form={form} errors={errors} preview={state.preview} />
          <AdapterCard form={form} errors={errors} preview={state.preview} targets={targets} targetsProblem={targetsProblem} />
          {form.level === 'advanced' ? <NotesCard form={form} errors={errors} /> : null}
        </div>
        <aside className="sticky top-0 hidden w-66 shrink-0 @2xl:block @5xl:w-75">{card}</aside>
      </div>
      <ReviewBar review={review} state={state} startable={startable} queues={queues} starting={starting} onStart={onStart} card={card} />
      <ConfigDialog open={showsConfig} preview={state.preview} onClose={() => setShowsConfig(false)} onSave={() => void file.save()} />
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
