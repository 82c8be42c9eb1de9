/** From where a session can go on and how far: the dialog's sums and words. Pure. */
import type { ResumePoint } from '@/api/generated'
import { count, loss, moment, plural } from '@/lib/format'
import { numberText, parseNumber } from '@/lib/numbers'
import type { Option } from '@/ui/controls/Select'

/** Newest first, as most runs go on from where they ended. */
export function pointOptions(points: readonly ResumePoint[]): readonly Option[] {
  return points.toReversed().map((point, at) => ({ value: String(point.checkpoint), label: pointWords(point, at === 0) }))
}

function pointWords({ checkpoint, train_loss, saved_at }: ResumePoint, newest: boolean): string {
  const words = [
    `Iteration ${count(checkpoint)}${newest ? ' (newest)' : ''}`,
    train_loss === null ? null : `train loss ${loss(train_loss)}`,
    moment(saved_at),
  ]
  return words.filter(Boolean).join(' · ')
}

/** The length that was asked for; when that many are done, as many again. */
export function suggestedTotal(asked: number | null, done: number): string {
  const length = asked ?? done
  return numberText(length > done ? length : done + length)
}

export type Length =
  | { readonly kind: 'total'; readonly total: number; readonly words: string }
  | { readonly kind: 'problem'; readonly words: string }

/** The total that was typed, against the step at which training goes on. */
export function readLength(text: string, done: number): Length {
  const total = parseNumber(text)
  if (total === null || !Number.isInteger(total) || total <= done) {
    return { kind: 'problem', words: `A whole number above ${count(done)}, the iterations already done.` }
  }
  return { kind: 'total', total, words: `${plural(total - done, 'iteration')} left; ${count(done)} done.` }
}
