/** The base model: what was found, what the chosen one is, whether it fits. */
import { useCallback, useState } from 'react'
import { useSystemQuery, type Preview } from '@/api/generated'
import { BaseCatalog } from './BaseCatalog'
import { DownloadDialog } from './DownloadDialog'
import { DownloadRows } from './DownloadRows'
import { canResume, isLive } from './downloads'
import type { FieldErrors } from '@/start/fields/form'
import { ModelFacts } from './ModelFacts'
import { ModelPicker } from './ModelPicker'
import { UnusableModels } from './UnusableModels'
import { useDownloads } from './useDownloads'
import type { ModelList } from './useModels'
import type { StartForm } from '@/start/fields/useStartForm'
import { bridge } from '@/lib/bridge'
import { plural } from '@/lib/format'
import { Card } from '@/ui/Card'
import { RetryPanel } from '@/ui/feedback/RetryPanel'
import { Field } from '@/ui/controls/Field'
import { LinkButton } from '@/ui/controls/LinkButton'
import { Skeleton } from '@/ui/feedback/Skeleton'
import { TextInput } from '@/ui/controls/TextInput'

type Props = {
  readonly form: StartForm
  readonly errors: FieldErrors
  readonly list: ModelList
  readonly preview: Preview | null
}

export function ModelCard({ form, errors, list, preview }: Props) {
  const [byPath, setByPath] = useState(false)
  const [downloading, setDownloading] = useState(false)
  const path = String(form.values.model_path)
  const { set } = form
  const choose = useCallback((arrived: string) => set('model_path', arrived), [set])
  const downloads = useDownloads(choose)
  const unfinished = downloads.all.filter((info) => isLive(info) || canResume(info) || info.state === 'damaged')
  const { data: system } = useSystemQuery()
  const limit = system?.recommended_working_set ?? null
  const openFolder = async () => {
    const desktop = bridge()
    if (!desktop) return setByPath(true)
    const chosen = await desktop.openFolder({ title: 'Open a model folder' })
    if (chosen) form.set('model_path', chosen)
  }
  const aside = byPath ? (
    <LinkButton onClick={() => setByPath(false)}>Choose from the list</LinkButton>
  ) : (
    <LinkButton onClick={() => void openFolder()}>Open a folder…</LinkButton>
  )
  return (
    <Card
      title="Model"
      subtitle={
        <>
          {summary(list)} · {aside} · <LinkButton onClick={() => setDownloading(true)}>Download…</LinkButton>
        </>
      }
    >
      {list.problem && !list.loaded ? (
        <RetryPanel problem={list.problem} retrying={list.retrying} onRetry={list.retry} />
      ) : (
        <Choice list={list} byPath={byPath} path={path} limit={limit} error={errors.model_path ?? form.modelProblem?.detail} onPath={choose} />
      )}
      {list.loaded ? <ModelFacts model={form.model} memory={preview?.memory ?? null} listed={!byPath && form.model !== null && list.models.includes(form.model)} /> : null}
      <UnusableModels models={list.models} />
      {list.loaded && list.models.every((model) => model.problem !== null) ? (
        <div className="mt-4">
          <h3 className="mb-1 text-small font-medium">Bases for this machine</h3>
          <BaseCatalog downloads={downloads} />
        </div>
      ) : null}
      {unfinished.length > 0 && !downloading ? (
        <div className="mt-3">
          <DownloadRows shown={unfinished} downloads={downloads} />
        </div>
      ) : null}
      {downloading ? <DownloadDialog downloads={downloads} onClose={() => setDownloading(false)} /> : null}
    </Card>
  )
}

function summary({ loaded, models, problem }: ModelList): string {
  if (!loaded) return problem ? 'No answer yet' : 'Looking for models…'
  if (models.length === 0) return 'No model found'
  const unusable = models.filter((model) => model.problem !== null).length
  return `${plural(models.length, 'model')} found${unusable ? `, ${unusable} not usable` : ''}`
}

type ChoiceProps = {
  readonly list: ModelList
  readonly byPath: boolean
  readonly path: string
  readonly limit: number | null
  readonly error: string | undefined
  readonly onPath: (path: string) => void
}

function Choice({ list: { loaded, models }, byPath, path, limit, error, onPath }: ChoiceProps) {
  if (loaded && !byPath && models.length > 0) {
    return <ModelPicker models={models} path={path} limit={limit} error={error} onChoose={onPath} />
  }
  return (
    <Field label="Base model" error={error}>
      {(control) =>
        loaded ? (
          <TextInput {...control} mono value={path} placeholder="/path/to/a/model/folder" onText={onPath} />
        ) : (
          <Skeleton className="h-8" />
        )
      }
    </Field>
  )
}
