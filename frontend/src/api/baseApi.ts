/** The one place that knows where the server is: where the page came from. */
import { createApi, fetchBaseQuery } from '@reduxjs/toolkit/query/react'

// An absolute address, because fetch outside a browser (the tests) can't resolve a relative one.
const baseUrl = new URL('/', globalThis.location.href).href

export const baseApi = createApi({
  reducerPath: 'api',
  baseQuery: fetchBaseQuery({ baseUrl }),
  refetchOnReconnect: true,
  endpoints: () => ({}),
})
