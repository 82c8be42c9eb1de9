/** One line of text. `trailing` sits inside the field at its end: a unit, or a button. */
import { useLayoutEffect, useRef, type InputHTMLAttributes, type ReactNode } from 'react'
import { cx } from '@/lib/cx'

export const CONTROL =
  'w-full min-w-0 rounded-field border border-edge bg-card text-body text-ink transition-colors ' +
  'hover:border-faint focus-visible:border-accent focus-visible:outline-1 focus-visible:outline-offset-0 ' +
  'aria-invalid:border-bad-strong disabled:bg-sunken disabled:text-faint disabled:hover:border-edge'

type Props = Omit<InputHTMLAttributes<HTMLInputElement>, 'onChange' | 'value'> & {
  readonly value: string
  readonly onText: (text: string) => void
  readonly trailing?: ReactNode
  readonly mono?: boolean
  /** Show the end of a long text while it is not edited: of a path, the name. */
  readonly showEnd?: boolean
}

export function TextInput({ value, onText, trailing, mono, showEnd, className, ...rest }: Props) {
  const ref = useRef<HTMLInputElement>(null)
  useLayoutEffect(() => {
    const input = ref.current
    if (showEnd && input && input !== document.activeElement) input.scrollLeft = input.scrollWidth
  }, [showEnd, value])
  return (
    <div className={cx('relative flex min-w-0', className)}>
      <input
        ref={ref}
        type="text"
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        value={value}
        onChange={(event) => onText(event.target.value)}
        className={cx(CONTROL, 'h-8 px-2.5', mono && 'font-mono text-small', Boolean(trailing) && 'pr-20')}
        {...rest}
      />
      {trailing ? (
        <div className="pointer-events-none absolute inset-y-0 right-0 flex items-center pr-2.5 text-small text-faint [&_button]:pointer-events-auto">
          {trailing}
        </div>
      ) : null}
    </div>
  )
}
