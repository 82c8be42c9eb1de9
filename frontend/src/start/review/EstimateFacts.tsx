/** What a run of this method costs compared with SFT, and what would make it cheaper. */
import { useEstimate } from './useEstimate'
import type { StartForm } from '@/start/fields/useStartForm'
import { compact, count, UNKNOWN } from '@/lib/format'

type Props = {
  readonly form: StartForm
  readonly method: string
  /** Of the training data, where they are known. */
  readonly rows: number | null
}

export function EstimateFacts({ form, method, rows }: Props) {
  const estimation = useEstimate(form, method, rows)
  if (!estimation) return null
  const { generations_per_step: answers, relative_cost: cost, recommendations } = estimation
  return (
    <div className="flex flex-col gap-2 text-small">
      <dl className="flex flex-col gap-1">
        {answers === null ? null : (
          <div className="flex justify-between gap-3">
            <dt className="text-soft">Answers per step</dt>
            <dd>{count(answers)}</dd>
          </div>
        )}
        <div className="flex justify-between gap-3">
          <dt className="text-soft">Cost vs SFT, per step</dt>
          <dd>{cost === null ? UNKNOWN : `${compact(cost, 2)} × the time`}</dd>
        </div>
      </dl>
      {recommendations.length > 0 ? (
        <ul className="flex flex-col gap-1 text-soft">
          {recommendations.map((text) => (
            <li key={text} className="flex gap-2">
              <span className="mt-1.5 size-1.5 shrink-0 rounded-full bg-accent" aria-hidden="true" />
              <span className="min-w-0">{text}</span>
            </li>
          ))}
        </ul>
      ) : null}
    </div>
  )
}
