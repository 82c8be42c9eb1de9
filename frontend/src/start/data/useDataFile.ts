/** A data file from wherever it is: the native dialog, a dropped file, or an upload in a browser. */
import { useCallback } from 'react'
import { readProblem } from '@/api/errors'
import { useUploadDatasetMutation } from '@/api/generated'
import { bridge } from '@/lib/bridge'

const ACCEPT = '.jsonl,.json,.csv,.tsv,.parquet'
const FILTERS = [
  { name: 'Training data', extensions: ['jsonl', 'json', 'csv', 'tsv', 'parquet'] },
  { name: 'All files', extensions: ['*'] },
]
const MOST_COPIES = 50

export function useDataFile(onPath: (path: string) => void) {
  const [upload, { data, isLoading, error, reset }] = useUploadDatasetMutation()

  /** Nothing that exists is overwritten, so a name that is taken gets a number. */
  const send = useCallback(
    async (file: File) => {
      const body = new Blob([file], { type: 'application/octet-stream' })
      for (let copy = 1; copy <= MOST_COPIES; copy += 1) {
        const answer = await upload({ name: numbered(file.name, copy), body })
        if (answer.data) return onPath(answer.data.path)
        if (readProblem(answer.error)?.status !== 409) return
      }
    },
    [onPath, upload],
  )

  const take = useCallback(
    async (file: File) => {
      const path = bridge()?.pathOfFile(file)
      if (path) onPath(path)
      else await send(file)
    },
    [onPath, send],
  )

  const browse = useCallback(async () => {
    const desktop = bridge()
    if (desktop) {
      const path = await desktop.openFile({ title: 'Open training data', filters: FILTERS })
      if (path) onPath(path)
      return
    }
    pickInBrowser((file) => void send(file))
  }, [onPath, send])

  return { browse, take, uploading: isLoading, copied: data?.path ?? null, problem: readProblem(error), clear: reset }
}

export function numbered(name: string, copy: number): string {
  if (copy === 1) return name
  const dot = name.lastIndexOf('.')
  return dot > 0 ? `${name.slice(0, dot)}-${copy}${name.slice(dot)}` : `${name}-${copy}`
}

function pickInBrowser(onFile: (file: File) => void): void {
  const input = document.createElement('input')
  input.type = 'file'
  input.accept = ACCEPT
  input.onchange = () => {
    const file = input.files?.[0]
    if (file) onFile(file)
  }
  input.click()
}
