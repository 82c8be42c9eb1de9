import { fireEvent, screen } from '@testing-library/react'
import { expect, test, vi } from 'vitest'
import { FormHeader } from './FormHeader'
import type { StartForm } from '@/start/fields/useStartForm'
import { renderPage } from '@/test/render'
import { Toasts } from '@/ui/feedback/Toasts'

test('a reset does not ask, and one press brings everything back', () => {
  const edits = { lora_rank: '64', train_data_path: '/data/mine.jsonl' }
  const form = { edits, level: 'simple', reset: vi.fn(), replace: vi.fn(), chooseLevel: vi.fn() }
  renderPage(
    <>
      <FormHeader title="Setup" subtitle="" form={form as unknown as StartForm} onSave={vi.fn()} onLoad={vi.fn()} />
      <Toasts />
    </>,
  )
  fireEvent.click(screen.getByRole('button', { name: 'Reset to defaults' }))
  expect(form.reset).toHaveBeenCalledOnce()
  expect(screen.getByRole('status').textContent).toContain('Settings reset to defaults.')
  fireEvent.click(screen.getByRole('button', { name: 'Undo' }))
  expect(form.replace).toHaveBeenCalledExactlyOnceWith(edits)
})
