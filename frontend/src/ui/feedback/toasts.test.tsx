import { act, fireEvent, screen } from '@testing-library/react'
import { expect, test, vi } from 'vitest'
import { renderPage } from '@/test/render'
import { Toasts } from './Toasts'
import { useUndo } from './useUndo'
import { TOAST_CAP, toastRaised, toastReducer, type Toast } from './toastSlice'

const raise = (level: Toast['level'], message: string) => toastRaised({ level, message })

test('errors stay, the rest leaves by itself', () => {
  vi.useFakeTimers()
  try {
    const { store } = renderPage(<Toasts />)
    act(() => {
      store.dispatch(raise('good', 'Saved.'))
      store.dispatch(raise('error', 'The disk is full.'))
    })
    act(() => void vi.advanceTimersByTime(60_000))
    expect(screen.queryByText('Saved.')).toBeNull()
    expect(screen.getByRole('alert').textContent).toContain('The disk is full.')
    fireEvent.click(screen.getByRole('button', { name: 'Dismiss' }))
    expect(screen.queryByRole('alert')).toBeNull()
  } finally {
    vi.useRealTimers()
  }
})

test('they are capped: what is not an error goes first', () => {
  let state = toastReducer(undefined, raise('error', 'first'))
  for (let at = 0; at < 10; at += 1) state = toastReducer(state, raise('info', `note ${at}`))
  expect(state).toHaveLength(TOAST_CAP)
  expect(state[0]?.message).toBe('first')
  expect(state.at(-1)?.message).toBe('note 9')
})

test('the same message is shown once', () => {
  const once = toastReducer(undefined, raise('error', 'again'))
  expect(toastReducer(once, raise('error', 'again'))).toHaveLength(1)
})

function Deletes({ onUndo }: { readonly onUndo: () => void }) {
  const offerUndo = useUndo()
  return <button onClick={() => offerUndo('Deleted “run_7”.', onUndo)}>Delete</button>
}

test('an undo can be pressed for ten seconds, once, and while the pointer is on it', () => {
  vi.useFakeTimers()
  try {
    const undone = vi.fn()
    renderPage(
      <>
        <Deletes onUndo={undone} />
        <Toasts />
      </>,
    )
    const offer = () => fireEvent.click(screen.getByRole('button', { name: 'Delete' }))
    offer()
    act(() => void vi.advanceTimersByTime(9_000))
    fireEvent.mouseEnter(screen.getByRole('status'))
    act(() => void vi.advanceTimersByTime(60_000))
    fireEvent.click(screen.getByRole('button', { name: 'Undo' }))
    expect(undone).toHaveBeenCalledOnce()
    expect(screen.queryByText('Deleted “run_7”.')).toBeNull()
    offer()
    act(() => void vi.advanceTimersByTime(11_000))
    expect(screen.queryByRole('button', { name: 'Undo' })).toBeNull()
    expect(undone).toHaveBeenCalledOnce()
  } finally {
    vi.useRealTimers()
  }
})
