/** What a file is, in short, and what can be made of it. */
import { useState } from 'react'
import type { DatasetInspection } from '@/api/generated'
import { bytes, plural } from '@/lib/format'
import { Badge } from '@/ui/Badge'
import { Button } from '@/ui/controls/Button'
import { ConvertDialog } from '@/start/data/convert/ConvertDialog'
import { formName } from '@/start/data/dataForms'
import { useTrainWith } from '@/start/data/useTrainWith'
import { SplitDialog } from './SplitDialog'

type Props = {
  readonly found: DatasetInspection
  readonly busy: boolean
  readonly onOpen: (path: string) => void
}

export function FileFacts({ found, busy, onOpen }: Props) {
  const [dialog, setDialog] = useState<'convert' | 'split' | null>(null)
  const close = () => setDialog(null)
  const open = (path: string) => {
    close()
    onOpen(path)
  }
  const trainWith = useTrainWith()
  const known = found.format !== null && found.format !== 'unknown'
  return (
    <div className="mt-3.5 flex flex-wrap items-center justify-between gap-x-4 gap-y-3">
      <div className="flex min-w-0 flex-wrap gap-1.5" aria-busy={busy}>
        <Badge tone={known ? 'accent' : 'warn'}>{formName(found.format)}</Badge>
        <Badge>{plural(found.rows, 'row')}</Badge>
        <Badge>{bytes(found.size_bytes)}</Badge>
        {found.problem_count > 0 ? (
          <Badge tone="bad">{plural(found.problem_count, 'problem')}</Badge>
        ) : (
          <Badge tone="good">no problems</Badge>
        )}
      </div>
      <div className="flex flex-wrap gap-2">
        {known ? <Button onClick={() => setDialog('convert')}>Convert…</Button> : null}
        <Button onClick={() => setDialog('split')} disabled={(found.good_rows ?? 0) < 2}>
          Split…
        </Button>
        {known ? (
          <Button
            kind="primary"
            disabled={(found.good_rows ?? 0) === 0}
            onClick={() => trainWith({ path: found.path, method: methodFor(found.format) })}
          >
            Train with this file
          </Button>
        ) : (
          <Button kind="primary" disabled={found.columns.length === 0} onClick={() => setDialog('convert')}>
            Map columns…
          </Button>
        )}
      </div>
      {dialog === 'convert' ? (
        <ConvertDialog
          {...found}
          use="Open"
          onClose={close}
          onUse={open}
          onTrain={(path, to) => trainWith({ path, method: to === 'grpo' ? 'grpo' : methodFor(to) })}
        />
      ) : null}
      {dialog === 'split' ? (
        <SplitDialog
          found={found}
          onClose={close}
          onOpen={open}
          onTrain={(path, valid) => trainWith({ path, valid, method: methodFor(found.format) })}
        />
      ) : null}
    </div>
  )
}

/** Preferences need a method of their own; Setup trains on every other form. */
function methodFor(format: string | null): string | null {
  return format === 'preference' ? 'dpo' : null
}
