/** The found models with their facts: a table where there is room, else a list. */
import type { ModelInfo } from '@/api/generated'
import { millions } from '@/start/model/modelWords'
import { WeightsBadge } from '@/start/model/WeightsBadge'
import { bytes, count, UNKNOWN } from '@/lib/format'
import { Cell, HeadCell, Row, Table } from '@/ui/Table'
import { ModelActions } from './ModelActions'
import { sourceWords, templateWords } from './modelFacts'

type Props = {
  readonly models: readonly ModelInfo[]
  /** Bytes that the engine may use on this machine, where known. */
  readonly limit: number | null
  readonly onConvert: (model: ModelInfo) => void
}

const precision = (model: ModelInfo) => model.quantization ?? model.dtype ?? UNKNOWN
const size = (model: ModelInfo) => (model.parameters === null ? UNKNOWN : millions(model.parameters))

export function ModelList({ models, limit, onConvert }: Props) {
  return (
    <>
      <ModelTable models={models} limit={limit} onConvert={onConvert} />
      <ul aria-label="Models" className="flex flex-col divide-y divide-line md:hidden">
        {models.map((model) => (
          <li key={model.path} className="py-2.5 first:pt-0 last:pb-0">
            <div className="flex items-start gap-2">
              <div className="min-w-0 flex-1">
                <Name model={model} />
              </div>
              <ModelActions model={model} onConvert={onConvert} />
            </div>
            {model.problem === null ? (
              <div className="mt-1.5 flex flex-wrap items-center gap-x-2 gap-y-1 text-small text-soft">
                <Fit model={model} limit={limit} />
                <span>
                  {[size(model), precision(model), bytes(model.size_bytes), `${count(model.context_length)} tokens`].join(' · ')}
                  {model.chat_template === false ? ' · no chat template' : ''}
                </span>
              </div>
            ) : null}
          </li>
        ))}
      </ul>
    </>
  )
}

function ModelTable({ models, limit, onConvert }: Props) {
  return (
    <Table caption="Models" className="-mx-3 hidden md:block">
      <thead>
        <Row>
          <HeadCell>Model</HeadCell>
          <HeadCell className="text-right">Parameters</HeadCell>
          <HeadCell>Precision</HeadCell>
          <HeadCell className="text-right">Size</HeadCell>
          <HeadCell className="hidden text-right lg:table-cell">Context</HeadCell>
          <HeadCell className="hidden lg:table-cell">Template</HeadCell>
          <HeadCell>Fits</HeadCell>
          <HeadCell>
            <span className="sr-only">Actions</span>
          </HeadCell>
        </Row>
      </thead>
      <tbody>
        {models.map((model) => (
          <Row key={model.path} className="hover:bg-sunken">
            <Cell className="w-full max-w-0">
              <Name model={model} />
            </Cell>
            <Cell className="text-right whitespace-nowrap">{size(model)}</Cell>
            <Cell className="whitespace-nowrap">{precision(model)}</Cell>
            <Cell className="text-right whitespace-nowrap">{bytes(model.size_bytes)}</Cell>
            <Cell className="hidden text-right lg:table-cell">{count(model.context_length)}</Cell>
            <Cell className="hidden lg:table-cell">{templateWords(model)}</Cell>
            <Cell className="whitespace-nowrap">
              <Fit model={model} limit={limit} />
            </Cell>
            <Cell className="text-right whitespace-nowrap">
              <ModelActions model={model} onConvert={onConvert} />
            </Cell>
          </Row>
        ))}
      </tbody>
    </Table>
  )
}

function Fit({ model, limit }: { readonly model: ModelInfo; readonly limit: number | null }) {
  if (model.problem === null && (model.size_bytes === null || limit === null)) return <span title="Memory of this machine unknown">{UNKNOWN}</span>
  return <WeightsBadge model={model} limit={limit} />
}

function Name({ model }: { readonly model: ModelInfo }) {
  const line = [model.model_type, sourceWords(model)].filter(Boolean).join(' · ')
  return (
    <>
      <span title={model.path} className="block font-medium break-words">
        {model.name}
      </span>
      {line ? <span className="block text-small break-words text-soft">{line}</span> : null}
      {(model.facts ?? []).map((fact) => (
        <span key={fact} className="block text-small break-words whitespace-normal text-soft">
          {fact}
        </span>
      ))}
      {model.problem === null ? null : <span className="block text-small break-words whitespace-normal text-bad">{model.problem}</span>}
    </>
  )
}
