/** Where a training file is chosen: it can come from the hub too. */
import { useState } from 'react'
import type { StartPath } from '@/start/page/handoffSlice'
import { LinkButton } from '@/ui/controls/LinkButton'
import { DatasetDialog } from './DatasetDialog'

export function HubDataButton({ page }: { readonly page: StartPath }) {
  const [open, setOpen] = useState(false)
  return (
    <>
      <LinkButton className="self-start text-small" onClick={() => setOpen(true)}>
        Download a data set…
      </LinkButton>
      {open ? <DatasetDialog page={page} onClose={() => setOpen(false)} /> : null}
    </>
  )
}
