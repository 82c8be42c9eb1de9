/** The coverage picture and the exact count of what will be trained. */
import type { Problem } from '@/api/errors'
import type { LoraKey, LoraTargets, Preview } from '@/api/generated'
import { notesOf, trainableParameters, type Extent } from './lora'
import { CoverageLegend, MatrixCoverage } from './MatrixCoverage'
import { number } from '@/start/review/review'
import type { StartForm } from '@/start/fields/useStartForm'
import { parameters, percent, UNKNOWN } from '@/lib/format'
import { Notice } from '@/ui/feedback/Notice'
import { Skeleton } from '@/ui/feedback/Skeleton'

type Props = {
  readonly form: StartForm
  readonly preview: Preview | null
  readonly targets: LoraTargets | null
  readonly problem: Problem | null
  readonly covered: readonly LoraKey[]
  readonly extent: Extent | null
}

export function LoraResult({ form, preview, targets, problem, covered, extent }: Props) {
  if (problem && !problem.offline) {
    return (
      <Notice tone="warn" title={problem.detail} className="mt-4">
        {problem.hint}
      </Notice>
    )
  }
  const figures = figuresOf({ form, preview, targets, covered, extent })
  return (
    <>
    <div className="mt-4 flex flex-col gap-4 @xl:flex-row @xl:items-center @xl:gap-5">
      <div className="min-w-0 flex-1">
        {targets?.keys.length ? (
          <MatrixCoverage targets={targets} covered={covered} coverage={number(form, 'lora_num_layers') ?? -1} />
        ) : (
          <CoverageSkeleton waiting={form.model !== null && targets === null} model={form.model !== null} />
        )}
      </div>
      <div className="w-full shrink-0 @xl:w-40">
        <p className="text-figure font-semibold tracking-tight text-ink">{parameters(figures.trainable)}</p>
        <p className="mb-1.5 text-small text-soft">
          of {parameters(figures.total)} trainable · <span className="whitespace-nowrap">{percent(figures.share, 3)}</span>
        </p>
        <CoverageLegend targets={targets} covered={covered} extent={extent} />
      </div>
    </div>
    {targets ? <Notes targets={targets} /> : null}
    </>
  )
}

function Notes({ targets }: { readonly targets: LoraTargets }) {
  const { warnings, remarks } = notesOf(targets)
  return (
    <>
      {warnings.length > 0 ? (
        <Notice tone="warn" className="mt-3">
          <ul className="flex flex-col gap-1">
            {warnings.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </Notice>
      ) : null}
      {remarks.length > 0 ? <p className="mt-3 text-tiny text-faint">{remarks.join(' ')}</p> : null}
    </>
  )
}

type Figures = { readonly trainable: number | null; readonly total: number | null; readonly share: number | null }

/** At once from the modules' sizes; from the server where only it can know. */
function figuresOf({ form, preview, targets, covered, extent }: Omit<Props, 'problem'>): Figures {
  const own = targets?.keys.length && extent ? trainableParameters(targets, covered, extent) : null
  const trainable = own ?? preview?.lora?.trainable_parameters ?? null
  const total = targets?.total_parameters ?? preview?.lora?.total_parameters ?? form.model?.parameters ?? null
  return { trainable, total, share: trainable !== null && total ? (trainable / total) * 100 : null }
}

function CoverageSkeleton({ waiting, model }: { readonly waiting: boolean; readonly model: boolean }) {
  if (!waiting) {
    return (
      <p className="text-small text-faint">
        {UNKNOWN} {model ? 'Matrices of this model unknown.' : 'Choose a model to see its matrices and layers.'}
      </p>
    )
  }
  return (
    <div className="flex flex-col gap-[5px]" aria-hidden="true">
      {Array.from({ length: 7 }, (_, row) => (
        <Skeleton key={row} className="my-[3px] h-2.5" />
      ))}
    </div>
  )
}
