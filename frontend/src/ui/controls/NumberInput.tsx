/**
 * A number as text. It may be empty or half-typed ("1e-") while the user types, and nothing is ever
 * clamped or rewritten: what is wrong with it is said under the field. Arrow keys step it.
 */
import type { InputHTMLAttributes, KeyboardEvent } from 'react'
import { parseNumber, stepNumber } from '@/lib/numbers'
import { TextInput } from './TextInput'

type Props = Omit<InputHTMLAttributes<HTMLInputElement>, 'onChange' | 'value' | 'step' | 'min' | 'max'> & {
  readonly value: string
  readonly onText: (text: string) => void
  readonly unit?: string | undefined
  readonly step?: number | undefined
  readonly min?: number | undefined
  readonly max?: number | undefined
}

export function NumberInput({ value, onText, unit, step, min, max, ...rest }: Props) {
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return
    const now = parseNumber(value)
    if (now === null || step === undefined) return
    event.preventDefault()
    onText(stepNumber({ now, by: event.key === 'ArrowUp' ? step : -step, min, max }))
  }
  return <TextInput inputMode="decimal" value={value} onText={onText} onKeyDown={onKeyDown} trailing={unit} {...rest} />
}
