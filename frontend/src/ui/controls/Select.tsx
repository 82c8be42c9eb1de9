/** A native select: the platform's own list, keyboard and screen-reader behaviour. */
import { ChevronDown } from 'lucide-react'
import type { SelectHTMLAttributes } from 'react'
import { cx } from '@/lib/cx'
import { CONTROL } from './TextInput'

export type Option = {
  readonly value: string
  readonly label: string
  readonly disabled?: boolean
}

type Props = Omit<SelectHTMLAttributes<HTMLSelectElement>, 'onChange' | 'value'> & {
  readonly value: string
  readonly options: readonly Option[]
  readonly onChoose: (value: string) => void
}

export function Select({ value, options, onChoose, className, ...rest }: Props) {
  return (
    <div className={cx('relative min-w-0', className)}>
      <select
        value={value}
        onChange={(event) => onChoose(event.target.value)}
        className={cx(CONTROL, 'h-8 appearance-none truncate pr-8 pl-2.5')}
        {...rest}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value} disabled={option.disabled}>
            {option.label}
          </option>
        ))}
      </select>
      <ChevronDown
        className="pointer-events-none absolute top-2 right-2.5 size-4 text-faint"
        strokeWidth={1.75}
        aria-hidden="true"
      />
    </div>
  )
}
