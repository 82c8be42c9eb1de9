/** The token that a server may ask for: `DROID_TOKEN`, or the one that was made on the Settings page. */
import { readFileSync } from 'node:fs'

/** Read anew each time: it can be made and dropped while the window is open. */
export function tokenOf(env: NodeJS.ProcessEnv, secretsFile: string): string | undefined {
  return env['DROID_TOKEN'] || savedToken(secretsFile)
}

function savedToken(path: string): string | undefined {
  try {
    const saved: unknown = JSON.parse(readFileSync(path, 'utf-8'))
    if (typeof saved !== 'object' || saved === null || !('token' in saved)) return undefined
    return typeof saved.token === 'string' && saved.token !== '' ? saved.token : undefined
  } catch {
    return undefined // no such file, or a damaged one, which the server tells about
  }
}

/** The headers of a request by this shell. */
export function authorised(token: string | undefined): Readonly<Record<string, string>> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` }
}

/** Where a page is opened: the server turns the token in the address into a cookie. */
export function entrance(url: string, token: string | undefined): string {
  return token === undefined ? `${url}/` : `${url}/?token=${encodeURIComponent(token)}`
}
