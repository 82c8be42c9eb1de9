import { configureStore } from '@reduxjs/toolkit'
import { createApi } from '@reduxjs/toolkit/query'
import { expect, test } from 'vitest'
import { refetchFresh } from './refetchFresh'

/** A list on a server that is slow to say what it knew when it was asked. */
function slowList() {
  let now = 'downloading'
  const answers: (() => void)[] = []
  const api = createApi({
    baseQuery: () =>
      new Promise<{ data: string }>((resolve) => {
        const then = now
        answers.push(() => resolve({ data: then }))
      }),
    endpoints: (build) => ({ list: build.query<string, undefined>({ query: () => '' }) }),
  })
  const store = configureStore({ reducer: { [api.reducerPath]: api.reducer }, middleware: (defaults) => defaults().concat(api.middleware) })
  const query = store.dispatch(api.endpoints.list.initiate(undefined))
  return {
    query,
    shown: () => api.endpoints.list.select(undefined)(store.getState()).data,
    becomes: (state: string) => {
      now = state
    },
    asked: () => answers.length,
    answer: (at: number) => answers[at]?.(),
  }
}

test('what changes while a list is on its way is in the list in the end', async () => {
  const list = slowList()
  // The download ends between the question and its answer: the frame of its end asks again.
  list.becomes('completed')
  const fresh = refetchFresh(() => list.query.refetch())
  expect(list.asked()).toBe(1)
  list.answer(0)
  await expect.poll(() => list.asked()).toBe(2)
  expect(list.shown()).toBe('downloading')
  list.answer(1)
  await fresh
  expect(list.shown()).toBe('completed')
})

test('a list that nobody waits for is asked once', async () => {
  const list = slowList()
  list.answer(0)
  await list.query
  const fresh = refetchFresh(() => list.query.refetch())
  list.answer(1)
  await fresh
  expect(list.asked()).toBe(2)
})
