/** The way out for a file whose columns have other names: they are mapped, and the new file takes its place. */
import { useState } from 'react'
import type { DatasetInspection } from '@/api/generated'
import { Button } from '@/ui/controls/Button'
import { ConvertDialog } from './ConvertDialog'

type Props = { readonly found: DatasetInspection | null; readonly onUse: (path: string) => void }

export function MapColumns({ found, onUse }: Props) {
  const [asks, setAsks] = useState(false)
  const unknown = found !== null && (found.format === null || found.format === 'unknown')
  if (!unknown || found.columns.length === 0) return null
  return (
    <>
      <Button kind="primary" size="small" className="self-start" onClick={() => setAsks(true)}>
        Map columns…
      </Button>
      {asks ? (
        <ConvertDialog
          {...found}
          target="chat"
          use="Use the new file"
          onUse={(path) => {
            setAsks(false)
            onUse(path)
          }}
          onClose={() => setAsks(false)}
        />
      ) : null}
    </>
  )
}
