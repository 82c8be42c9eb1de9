/** Every evaluation there was; one that ended without a result says why. */
import type { EvaluationSummary } from '@/api/generated'
import { cx } from '@/lib/cx'
import { moment, plural } from '@/lib/format'
import { Badge, type Tone } from '@/ui/Badge'
import { Card } from '@/ui/Card'

type Props = {
  readonly past: readonly EvaluationSummary[]
  readonly shown: string | null
  readonly onShow: (id: string) => void
}

const TONES: Readonly<Record<EvaluationSummary['state'], Tone>> = {
  starting: 'accent',
  running: 'accent',
  completed: 'good',
  stopped: 'neutral',
  error: 'bad',
  interrupted: 'warn',
}
const WORDS: Partial<Record<EvaluationSummary['state'], string>> = { error: 'failed', stopped: 'cancelled' }

export function PastEvaluations({ past, shown, onShow }: Props) {
  if (past.length === 0) return null
  return (
    <Card title="Previous evaluations">
      <ul className="flex flex-col">
        {past.map((each) => (
          <li key={each.evaluation_id} className="flex min-w-0 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line py-2 last:border-0">
            {each.state === 'completed' ? (
              <button
                type="button"
                aria-current={each.evaluation_id === shown ? 'true' : undefined}
                onClick={() => onShow(each.evaluation_id)}
                className={cx(
                  'min-w-0 rounded-small text-left font-medium break-all underline-offset-2 hover:underline',
                  each.evaluation_id === shown ? 'text-ink' : 'text-accent',
                )}
              >
                {each.adapter_name}
              </button>
            ) : (
              <span className="min-w-0 font-medium break-all">{each.adapter_name}</span>
            )}
            <span className="text-small text-soft">
              {each.targets.length > 1 ? 'against its base, ' : ''}
              {plural(each.num_questions, 'row')}
            </span>
            <span className="ml-auto flex items-center gap-2 text-small text-faint">
              {each.evaluation_id === shown ? <Badge>shown</Badge> : null}
              <Badge tone={TONES[each.state]}>{WORDS[each.state] ?? each.state}</Badge>
              {moment(each.started)}
            </span>
            {each.error ? <p className="w-full text-small text-soft">{each.error}</p> : null}
          </li>
        ))}
      </ul>
    </Card>
  )
}
