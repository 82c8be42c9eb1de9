/** The final numbers of a run. */
import { compact, count, duration, gigabytes, loss, moment, parameters } from '@/lib/format'
import { StatCard, StatGrid } from '@/ui/StatCard'
import { durationOf, metric, type SessionView } from './record'

export function SessionFigures({ session }: { readonly session: SessionView }) {
  const { best } = session
  const total = metric(session, 'total_steps')
  const speed = metric(session, 'tokens_per_second')
  const trainable = metric(session, 'trainable_parameters')
  const all = metric(session, 'total_parameters')
  return (
    <StatGrid>
      <StatCard label="Final train loss" value={loss(metric(session, 'train_loss'))} />
      <StatCard label="Final validation loss" value={loss(metric(session, 'val_loss'))} />
      <StatCard
        label="Best"
        value={loss(best?.val_loss ?? metric(session, 'best_val_loss'))}
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
        note={note(trainable, all, speed, metric(session, 'peak_memory_gb'))}
      />
    </StatGrid>
  )
}

function note(trainable: number | null, all: number | null, speed: number | null, memory: number | null): string {
  const share = trainable === null || all === null || all === 0 ? null : `${((trainable / all) * 100).toFixed(2)} %`
  return [share, speed === null ? null : `${compact(speed, 3)} tok/s`, memory === null ? null : gigabytes(memory)]
    .filter(Boolean)
    .join(' · ')
}
