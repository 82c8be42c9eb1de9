/** The token that a server may ask for: `DROID_TOKEN`, as `startmlxnew` hands it on. */

export function tokenOf(env: NodeJS.ProcessEnv): string | undefined {
  return env['DROID_TOKEN'] || undefined
}

/** The headers of a request by this shell. */
export function authorised(token: string | undefined): Readonly<Record<string, string>> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` }
}

/** Where a page is opened: the server turns the token in the address into a cookie. */
export function entrance(url: string, token: string | undefined): string {
  return token === undefined ? `${url}/` : `${url}/?token=${encodeURIComponent(token)}`
}
