/** The base model: what was found, what the chosen one is, whether it fits. */
import { useCallback, useState } from 'react'
import { useSystemQuery, type ModelInfo, type Preview } from '@/api/generated'
import { DownloadDialog } from './DownloadDialog'
import { DownloadRows } from './DownloadRows'
import { canResume, isLive } from './downloads'
import type { FieldErrors } from './form'
import { ModelFacts } from './ModelFacts'
import { UnusableModels } from './UnusableModels'
import { useDownloads } from './useDownloads'
import type { ModelList } from './useModels'
import type { StartForm } from './useStartForm'
import { bridge } from '@/lib/bridge'
import { bytes, plural } from '@/lib/format'
import { Button } from '@/ui/Button'
import { Card } from '@/ui/Card'
import { ErrorPanel } from '@/ui/ErrorPanel'
import { Field } from '@/ui/Field'
import { LinkButton } from '@/ui/LinkButton'
import { Select, type Option } from '@/ui/Select'
import { Skeleton } from '@/ui/Skeleton'
import { TextInput } from '@/ui/TextInput'

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
  const unfinished = downloads.all.filter((info) => isLive(info) || canResume(info))
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
        <ErrorPanel
          message={list.problem.detail}
          hint={list.problem.hint}
          action={
            <Button size="small" onClick={list.retry} busy={list.retrying && 'Trying…'}>
              Retry
            </Button>
          }
        />
      ) : (
        <Field label="Base model" error={errors.model_path}>
          {(control) => {
            if (!list.loaded) return <Skeleton className="h-8" />
            if (byPath || list.models.length === 0) {
              return (
                <TextInput {...control} mono value={path} placeholder="/path/to/a/model/folder" onText={(text) => form.set('model_path', text)} />
              )
            }
            return (
              <Select {...control} value={path} options={optionsFor(list.models, path, limit)} onChoose={(next) => form.set('model_path', next)} />
            )
          }}
        </Field>
      )}
      {list.loaded ? <ModelFacts model={form.model} memory={preview?.memory ?? null} /> : null}
      <UnusableModels models={list.models} />
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

/** Same names are told apart by their folder; unusable ones stay visible, and say so. */
function optionsFor(models: readonly ModelInfo[], path: string, limit: number | null): readonly Option[] {
  const names = models.map((model) => model.name)
  const options = models.map((model) => {
    const twice = names.filter((name) => name === model.name).length > 1
    const label = twice ? `${model.name} — ${model.path}` : model.name
    return { value: model.path, label: `${label}${remark(model, limit)}` }
  })
  if (options.some((option) => option.value === path)) return options
  return [{ value: path, label: path === '' ? 'Choose a model' : path, disabled: path === '' }, ...options]
}

/** What is sure without a preview: a run needs more than the weights alone. */
function remark({ problem, size_bytes: size }: ModelInfo, limit: number | null): string {
  if (problem !== null) return ' (not usable)'
  if (size === null) return ''
  return limit !== null && size > limit ? ` · needs over ${bytes(size)}` : ` · ${bytes(size)}`
}
