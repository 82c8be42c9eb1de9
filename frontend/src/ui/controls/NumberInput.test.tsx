import { render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { useState } from 'react'
import { expect, test } from 'vitest'
import { NumberInput } from './NumberInput'

function Host({ start }: { readonly start: string }) {
  const [text, setText] = useState(start)
  return <NumberInput aria-label="Rank" value={text} onText={setText} step={1} min={1} max={512} />
}

const input = () => screen.getByRole<HTMLInputElement>('textbox', { name: 'Rank' })

test('it can be emptied, holds half-typed numbers, and never clamps', async () => {
  render(<Host start="32" />)
  await userEvent.clear(input())
  expect(input().value).toBe('')
  await userEvent.type(input(), '1e-')
  expect(input().value).toBe('1e-')
  await userEvent.clear(input())
  await userEvent.type(input(), '9999')
  await userEvent.tab()
  expect(input().value).toBe('9999')
})

test('arrow keys step it up to its limits', async () => {
  render(<Host start="511" />)
  await userEvent.type(input(), '{ArrowUp}{ArrowUp}')
  expect(input().value).toBe('512')
  await userEvent.type(input(), '{ArrowDown}')
  expect(input().value).toBe('511')
})
