/** A run in several processes: what is chosen is what is sent, and how to set it up is there. */
import { act, fireEvent, screen } from '@testing-library/react'
import { useEffect } from 'react'
import { beforeEach, expect, test } from 'vitest'
import type { StandardStart } from '@/api/generated'
import { renderPage, serve } from '@/test/render'
import { QWEN } from '@/test/formSamples'
import { RanksCard } from './RanksCard'
import { STANDARD } from '@/start/page/startKinds'
import { useMethodForm } from '@/start/page/useMethodForm'
import type { StartForm } from './useStartForm'

let form: StartForm | null = null
const sent = () => (form?.request ?? null) as StandardStart | null
const MODELS = [QWEN]
const NOTHING_TAKEN: ReadonlySet<string> = new Set()

function Shown() {
  const { form: own } = useMethodForm(STANDARD, { models: MODELS, taken: NOTHING_TAKEN })
  useEffect(() => {
    form = own
  })
  return <RanksCard form={own} errors={own.errors} />
}

const choose = (label: string) => fireEvent.click(screen.getByLabelText(label))
const type = (label: string, value: string) => fireEvent.change(screen.getByLabelText(label), { target: { value } })

beforeEach(() => {
  const edits = { model_path: QWEN.path, train_data_path: '/data/train.jsonl' }
  localStorage.setItem('droid.setup', JSON.stringify({ edits, level: 'simple' }))
  serve({})
  renderPage(<Shown />)
})

test('a number of processes is sent, and one that can’t be is said under it', () => {
  choose('This machine')
  expect(sent()?.distributed).toEqual({ processes: 2 })
  type('Processes', '1')
  expect(form?.request).toBeNull()
  screen.getByText('A whole number of processes from 2 to 64; not 1.')
  type('Processes', '4')
  expect(sent()?.distributed).toEqual({ processes: 4 })
})

test('a host file is sent with its backend, and one process sends nothing', () => {
  choose('Several machines')
  expect(form?.errors['distributed']).toBe('Name the host file.') // The review asks for it.
  screen.getByText(/The JSON file that mlx\.launch reads/)
  type('Host file', '/macs/hosts: two.json')
  type('Backend', 'jaccl')
  expect(sent()?.distributed).toEqual({ hostfile: '/macs/hosts: two.json', backend: 'jaccl' })
  expect(form?.unusual).toEqual(['distributed'])
  choose('Off')
  expect(form?.request).not.toHaveProperty('distributed')
})

test('how to set it up is shown from the page’s own copy of the documentation', async () => {
  const button = screen.getByRole('button', { name: 'How to set up several machines' })
  await act(async () => {
    fireEvent.click(button)
    await Promise.resolve()
  })
  await screen.findByText(/mlx\.distributed_config --verbose/)
})
