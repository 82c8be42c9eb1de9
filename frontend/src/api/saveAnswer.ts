/** A file that the server makes, saved under the name that it gives. */
import { saveFile } from '@/lib/download'
import { readProblem, type Problem } from './errors'

/** `path` is relative to the page. Null when it was saved, else why it was not. */
export async function saveAnswer(path: string, fallback: string): Promise<Problem | null> {
  try {
    const answer = await fetch(new Request(new URL(path, globalThis.location.href)))
    if (!answer.ok) return readProblem({ status: answer.status, data: await answer.json() })
    const name = /filename="([^"]+)"/.exec(answer.headers.get('content-disposition') ?? '')?.[1]
    saveFile(name ?? fallback, await answer.blob())
    return null
  } catch {
    return readProblem({ status: 'FETCH_ERROR' })
  }
}
