/** A page in a test: a fresh store, a router, and a server that answers from a table. */
import { render } from '@testing-library/react'
import type { ReactElement } from 'react'
import { Provider } from 'react-redux'
import { createMemoryRouter, RouterProvider } from 'react-router'
import { vi } from 'vitest'
import { makeStore } from '@/app/store'

export type Call = { readonly method: string; readonly path: string; readonly query: URLSearchParams; readonly body: unknown }
type Answer = { readonly status?: number; readonly body: unknown }
/** "METHOD /path" → what the server says; a function is given the call. */
export type Answers = Readonly<Record<string, Answer | ((call: Call) => Answer)>>

/** Answers every fetch from the table and writes down what was asked. */
export function serve(answers: Answers): Call[] {
  const calls: Call[] = []
  vi.stubGlobal('fetch', async (request: Request) => {
    const { pathname, searchParams } = new URL(request.url)
    const text = await request.text()
    const call = { method: request.method, path: pathname, query: searchParams, body: text ? (JSON.parse(text) as unknown) : null }
    calls.push(call)
    const found = answers[`${call.method} ${call.path}`]
    const answer = typeof found === 'function' ? found(call) : found
    const { status = 200, body } = answer ?? { status: 404, body: { error: 'NotFound', detail: 'Not in this test.' } }
    return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } })
  })
  return calls
}

export function renderPage(element: ReactElement, { path = '/' }: { readonly path?: string } = {}) {
  const store = makeStore()
  const router = createMemoryRouter([{ path: '*', element }], { initialEntries: [path] })
  const view = render(
    <Provider store={store}>
      <RouterProvider router={router} />
    </Provider>,
  )
  return { ...view, store, router }
}
