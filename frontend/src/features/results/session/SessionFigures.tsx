/** The final numbers of a run. */
import { bestWords, metricWords } from '@/run/series/best'
import { count, duration, loss, moment, parameters } from '@/lib/format'
import { methodFigures, perplexityWords } from '@/run/series/methodFigures'
import type { RunKind } from '@/run/series/runKind'
import { StatCard, StatGrid } from '@/ui/StatCard'
import { durationOf, metric, type SessionView } from './record'

type Props = { readonly session: SessionView; readonly kind: RunKind }

export function SessionFigures({ session, kind }: Props) {
  const { best } = session
  const tested = metric(session, 'test_loss')
  const total = metric(session, 'total_steps')
  const trainable = metric(session, 'trainable_parameters')
  const all = metric(session, 'total_parameters')
  return (
    <StatGrid>
      <StatCard label="Final train loss" value={loss(metric(session, 'train_loss'))} />
      <StatCard label="Final validation loss" value={loss(metric(session, 'val_loss'))} />
      {tested === null ? null : <StatCard label="Test loss" value={loss(tested)} note={perplexityWords(metric(session, 'test_perplexity'))} />}
      <StatCard
        label={best && best.metric !== 'val_loss' ? `Best ${metricWords(best.metric)}` : 'Best'}
        value={bestWords(best?.metric, best?.value ?? metric(session, 'best_val_loss'))}
        note={best ? `iteration ${count(best.step)}` : ''}
      />
      <StatCard
        label="Iterations"
        value={count(metric(session, 'current_step'))}
        note={total === null ? '' : `of ${count(total)}${session.earlyStopped ? ' · stopped early' : ''}`}
      />
      <StatCard label="Duration" value={duration(durationOf(session))} note={moment(session.startedAt)} />
      <StatCard
        label="Trainable"
        value={parameters(trainable)}
        note={shareOf(trainable, all)}
      />
      {methodFigures(kind, (name) => metric(session, name)).map((figure) => (
        <StatCard key={figure.label} {...figure} />
      ))}
    </StatGrid>
  )
}

function shareOf(trainable: number | null, all: number | null): string {
  if (trainable === null || all === null || all === 0) return ''
  return `${((trainable / all) * 100).toFixed(3)} % of ${parameters(all)}`
}
