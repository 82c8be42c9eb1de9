/** Everything that a run needs, and what it will cost. Which cards there are follows from the page's kind and its method. */
import { useMemo, useState } from 'react'
import { useSelector } from 'react-redux'
import { useListSessionsQuery, useReadSettingsQuery } from '@/api/generated'
import { selectIsLive, selectQueue } from '@/run/reducer/runSlice'
import { DataCard } from '@/start/data/DataCard'
import { MethodFields } from '@/start/method/MethodFields'
import { ParametersCard } from '@/start/fields/ParametersCard'
import { RanksCard } from '@/start/fields/RanksCard'
import { hasField } from '@/start/fields/spec'
import { touchedOnly } from '@/start/fields/touched'
import { LoraCard } from '@/start/lora/LoraCard'
import { ModelCard } from '@/start/model/ModelCard'
import { useModels, useTargets } from '@/start/model/useModels'
import { ConfigDialog } from '@/start/review/config/ConfigDialog'
import { useConfigFile } from '@/start/review/config/useConfigFile'
import { ConfirmDialog } from '@/start/review/ConfirmDialog'
import { EstimateFacts } from '@/start/review/EstimateFacts'
import { NotesCard } from '@/start/review/NotesCard'
import { fieldErrors, reviewOf } from '@/start/review/review'
import { ReviewBar } from '@/start/review/ReviewBar'
import { ReviewCard } from '@/start/review/ReviewCard'
import { StartActions } from '@/start/review/StartActions'
import { namesTaken } from '@/start/review/taken'
import { usePreview } from '@/start/review/usePreview'
import { RewardsCard } from '@/start/rewards/RewardsCard'
import { SamplesCard } from '@/start/samples/SamplesCard'
import { Skeleton } from '@/ui/feedback/Skeleton'
import { DemoGuide } from './DemoGuide'
import { FormHeader } from './FormHeader'
import { MethodChoice } from '@/start/method/MethodChoice'
import type { StartKind } from './startKinds'
import { useConfirmedStart } from './useConfirmedStart'
import { useHandedForm } from './useHandedForm'
import { useMethodForm } from './useMethodForm'
import { useStart } from './useStart'

export function StartPage({ kind }: { readonly kind: StartKind }) {
  const list = useModels()
  const sessions = useListSessionsQuery({ limit: 1000 })
  const queue = useSelector(selectQueue)
  const live = useSelector(selectIsLive)
  const taken = useMemo(() => namesTaken(sessions.data?.sessions, queue), [sessions.data, queue])
  const { data: settings } = useReadSettingsQuery()
  const { form, chosen, ...methods } = useMethodForm(kind, { models: list.models, taken, chosen: settings?.run_defaults })
  useHandedForm({ page: kind.path, spec: kind.whole, replace: form.replace, set: form.set, taken: sessions.isFetching ? null : taken })
  const { targets, problem: targetsProblem } = useTargets(form.model)
  const complete = list.loaded && methods.loaded
  const state = usePreview(complete ? form.request : null)
  const { start, starting, problem } = useStart()
  const review = reviewOf(form.spec, complete ? form.errors : {}, state)
  const begin = useConfirmedStart({ form, review, state, live, starting, problem, start })
  const file = useConfigFile(form, kind.fileName, kind.whole)
  const [showsConfig, setShowsConfig] = useState(false)

  const errors = fieldErrors(touchedOnly(form), state.problem, problem)
  const shared = { form, errors }
  const offersDemo = !kind.byMethod && sessions.data !== undefined && form.values.train_data_path === '' && !live
  const card = (
    <ReviewCard
      form={form}
      review={review}
      state={state}
      startProblem={problem}
      extra={chosen ? <EstimateFacts form={form} method={chosen.id} rows={state.preview?.data.rows ?? null} /> : null}
      actions={
        <StartActions
          review={review}
          live={live}
          queues={begin.queues}
          waiting={queue.length}
          starting={starting}
          canShowConfig={state.preview !== null}
          onStart={begin.press}
          onShowConfig={() => setShowsConfig(true)}
        />
      }
    />
  )
  return (
    <div className="@container">
      <FormHeader title={kind.title} subtitle={kind.subtitle} form={form} onSave={() => void file.save()} onLoad={file.pick} />
      {offersDemo ? (
        <DemoGuide models={list.models} taken={taken} starting={starting} onStart={(request) => void start(request)} />
      ) : null}
      <div className="flex items-start gap-4">
        <div className="flex min-w-0 flex-1 flex-col gap-3.5">
          {kind.byMethod ? <MethodChoice {...methods} {...shared} chosen={chosen?.id ?? null} /> : null}
          <div className="grid grid-cols-1 gap-3.5 @5xl:grid-cols-[minmax(0,5fr)_minmax(0,7fr)]">
            <ModelCard {...shared} list={list} preview={state.preview} />
            {kind.byMethod && !chosen ? (
              <Skeleton className="h-64 rounded-card" />
            ) : (
              <DataCard {...shared} {...(chosen ? { chosen } : {})} />
            )}
          </div>
          {chosen ? <RewardsCard {...shared} method={chosen.method} /> : null}
          {chosen ? <MethodFields {...shared} method={chosen.method} /> : null}
          <ParametersCard {...shared} preview={state.preview} />
          <LoraCard {...kind.lora} {...shared} preview={state.preview} targets={targets} targetsProblem={targetsProblem} />
          {hasField(form.spec, 'distributed') && (form.level === 'advanced' || form.values.distributed !== '') ? <RanksCard {...shared} /> : null}
          <SamplesCard {...shared} />
          {form.level === 'advanced' ? <NotesCard {...shared} /> : null}
        </div>
        <aside className="sticky top-0 hidden w-66 shrink-0 @2xl:block @5xl:w-75">{card}</aside>
      </div>
      <ReviewBar
        review={review}
        state={state}
        startable={begin.startable}
        queues={begin.queues}
        starting={starting}
        onStart={begin.press}
        card={card}
      />
      <ConfigDialog open={showsConfig} preview={state.preview} onClose={() => setShowsConfig(false)} onSave={() => void file.save()} />
      <ConfirmDialog doubt={begin.doubt} fix={begin.remedy} onClose={begin.cancel} onFix={begin.fix} onStart={begin.confirm} />
    </div>
  )
}
