/** A page at its address, after some frames: its links lead on, its calls are told apart by query. */
import { render } from '@testing-library/react'
import type { ReactElement } from 'react'
import { Provider } from 'react-redux'
import { createMemoryRouter, RouterProvider } from 'react-router'
import { vi } from 'vitest'

import { framesReceived } from '@/api/stream/streamEvents'
import type { Frame } from '@/api/frames'
import { makeStore } from '@/app/store'

export type Answers = { readonly [request: string]: { readonly status?: number; readonly body: unknown } }
export type Call = { readonly request: string; readonly body: unknown }

type Options = {
  /** By "GET /path?query"; what is not named is unreachable. */
  readonly answers?: Answers
  readonly frames?: readonly Frame[]
  readonly path?: string
  readonly route?: string
}

export function renderRoute(page: ReactElement, { answers = {}, frames = [], path = '/', route = '*' }: Options = {}) {
  const calls: Call[] = []
  vi.stubGlobal('fetch', async (input: Request) => {
    const url = new URL(input.url)
    const request = `${input.method} ${url.pathname}${url.search}`
    const text = await input.text()
    calls.push({ request, body: text === '' ? null : JSON.parse(text) })
    const answer = answers[request]
    if (!answer) throw new TypeError(`No answer for ${request}`)
    return new Response(JSON.stringify(answer.body), {
      status: answer.status ?? 200,
      headers: { 'content-type': 'application/json' },
    })
  })
  const store = makeStore()
  if (frames.length > 0) store.dispatch(framesReceived({ frames, at: 1000 }))
  const router = createMemoryRouter(
    [
      { path: route, element: page },
      { path: '*', element: <p>Another page</p> },
    ],
    { initialEntries: [path] },
  )
  render(
    <Provider store={store}>
      <RouterProvider router={router} />
    </Provider>,
  )
  return { store, router, calls }
}
