/** The formats of an export: what each is for, its size and time, and why one can't be chosen. */
import { useId } from 'react'
import type { FormatInfo } from '@/api/generated'
import { bytes, duration } from '@/lib/format'
import { cx } from '@/lib/cx'

type Props = {
  readonly formats: readonly FormatInfo[]
  readonly chosen: FormatInfo['id']
  readonly onChoose: (id: FormatInfo['id']) => void
}

export function FormatChoice({ formats, chosen, onChoose }: Props) {
  const name = useId()
  return (
    <fieldset>
      <legend className="mb-1.5 text-small font-medium">Format</legend>
      <div className="flex flex-col gap-1.5">
        {formats.map((format) => (
          <label
            key={format.id}
            className={cx(
              'flex gap-2.5 rounded-field border border-edge px-3 py-2 transition-colors has-checked:border-accent has-checked:bg-accent-wash has-focus-visible:outline-2 has-focus-visible:outline-offset-1 has-focus-visible:outline-accent',
              format.available ? 'hover:border-faint' : 'text-soft',
            )}
          >
            <input
              type="radio"
              name={name}
              aria-label={format.name}
              aria-describedby={`${name}-${format.id}`}
              checked={chosen === format.id}
              disabled={!format.available}
              onChange={() => onChoose(format.id)}
              className="mt-0.5 size-4 shrink-0 accent-accent outline-none"
            />
            <span className="flex min-w-0 flex-1 flex-wrap items-baseline justify-between gap-x-3">
              <span className="font-medium">{format.name}</span>
              <span className="text-small text-soft tabular-nums">{needs(format)}</span>
              <span id={`${name}-${format.id}`} className="w-full text-small text-soft">
                {format.available ? format.description : `Not possible: ${format.reason ?? 'no reason was given.'}`}
              </span>
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  )
}

/** Its size at most, and its time once this machine has made one. */
function needs({ size, seconds }: FormatInfo): string {
  return [size === null ? null : `up to ${bytes(size)}`, seconds === null ? null : `about ${duration(seconds)}`].filter(Boolean).join(' · ')
}
