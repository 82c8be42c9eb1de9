/** The final numbers of a run. */
import { count, duration, loss, moment, parameters } from '@/lib/format'
import { StatCard, StatGrid } from '@/ui/StatCard'
import { durationOf, metric, type SessionView } from './record'

export function SessionFigures({ session }: { readonly session: SessionView }) {
  const { best } = session
  const total = metric(session, 'total_steps')
  const trainable = metric(session, 'trainable_parameters')
  const all = metric(session, 'total_parameters')
  return (
    <StatGrid>
      <StatCard label="Final train loss" value={loss(metric(session, 'train_loss'))} />
      <StatCard label="Final validation loss" value={loss(metric(session, 'val_loss'))} />
      <StatCard
        label="Best"
        value={loss(best?.value ?? metric(session, 'best_val_loss'))}
        note={best ? `at ${count(best.step)}` : ''}
      />
      <StatCard
        label="Steps"
        value={count(metric(session, 'current_step'))}
        note={total === null ? '' : `of ${count(total)}${session.earlyStopped ? ' · stopped early' : ''}`}
      />
      <StatCard label="Duration" value={duration(durationOf(session))} note={moment(session.startedAt)} />
      <StatCard
        label="Trainable"
        value={parameters(trainable)}
        note={shareOf(trainable, all)}
      />
    </StatGrid>
  )
}

function shareOf(trainable: number | null, all: number | null): string {
  if (trainable === null || all === null || all === 0) return ''
  return `${((trainable / all) * 100).toFixed(3)} % of ${parameters(all)}`
}
