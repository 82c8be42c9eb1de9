import { act, screen } from '@testing-library/react'
import { afterEach, expect, test, vi } from 'vitest'
import type { MenuCommand } from '@/lib/bridge'
import { renderPage, serve } from '@/test/render'
import { useFind } from './useFind'

const heard = new Set<(command: MenuCommand) => void>()
const show = vi.fn()

function Page({ searchable }: { readonly searchable: boolean }) {
  useFind(show)
  return <main>{searchable ? <input type="search" aria-label="Search the log" defaultValue="loss" /> : null}</main>
}

function open(searchable: boolean): void {
  const onMenu = (listener: (command: MenuCommand) => void) => {
    heard.add(listener)
    return () => heard.delete(listener)
  }
  vi.stubGlobal('droid', { onMenu })
  serve({})
  renderPage(<Page searchable={searchable} />)
}

const press = (command: MenuCommand) => act(() => heard.forEach((listener) => listener(command)))

afterEach(() => {
  heard.clear()
  show.mockClear()
  vi.unstubAllGlobals()
})

test('Find goes to the search of the page', () => {
  open(true)
  press('find')
  const search = screen.getByLabelText<HTMLInputElement>('Search the log')
  expect(document.activeElement).toBe(search)
  expect([search.selectionStart, search.selectionEnd], 'what was searched is selected').toEqual([0, 4])
  expect(show).not.toHaveBeenCalled()
})

test('where a page has none, the command palette opens; other commands open nothing', () => {
  open(false)
  press('stop-training')
  expect(show).not.toHaveBeenCalled()
  press('find')
  expect(show).toHaveBeenCalledOnce()
})
