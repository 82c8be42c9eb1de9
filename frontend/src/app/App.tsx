/** The store, the live connection and the routes around every page. */
import { Provider } from 'react-redux'
import { RouterProvider } from 'react-router/dom'
import { makeRouter } from '@/app/routes'
import type { AppStore } from '@/app/store'

type Props = { readonly store: AppStore }

const router = makeRouter()

export function App({ store }: Props) {
  return (
    <Provider store={store}>
      <RouterProvider router={router} />
    </Provider>
  )
}
