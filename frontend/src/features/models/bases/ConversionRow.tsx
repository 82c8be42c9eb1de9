/** How the conversion goes, and how it ended where that was seen here or went wrong. */
import { bytes, duration } from '@/lib/format'
import { Badge } from '@/ui/Badge'
import { Button } from '@/ui/controls/Button'
import { ErrorPanel } from '@/ui/feedback/ErrorPanel'
import { Notice } from '@/ui/feedback/Notice'
import { ProgressBar } from '@/ui/feedback/ProgressBar'
import type { Conversion } from './useConversion'

const PHASES: Readonly<Record<string, string>> = {
  starting: 'Starting…',
  'loading model': 'Reading the model…',
  quantising: 'Quantising…',
  'writing weights': 'Writing the weights…',
}

export function ConversionRow({ conversion }: { readonly conversion: Conversion }) {
  const { source, output, running, state, phase, progress, error, hint, witnessed, result, stop, stopping } = conversion
  if (running) {
    const words = PHASES[phase ?? ''] ?? 'Working…'
    // The first file is the only one of most models: until it is written nothing can be told.
    const share = progress === null || progress === 0 ? null : progress
    return (
      <div className="rounded-field border border-line px-3 py-2.5">
        <div className="flex flex-wrap items-center gap-x-2 gap-y-1.5">
          <span className="min-w-0 flex-1 font-medium break-words">
            {output} <span className="font-normal text-soft">from {source}</span>
          </span>
          <Badge tone="accent">converting</Badge>
        </div>
        <ProgressBar className="mt-2" label={`Conversion of ${source ?? 'a model'}`} value={share} text={words} />
        <div className="mt-2 flex items-center gap-2">
          <p className="min-w-0 flex-1 text-small text-soft">{words}</p>
          <Button size="small" kind="ghost" onClick={stop} busy={stopping && 'Stopping…'}>
            Stop
          </Button>
        </div>
      </div>
    )
  }
  if (error !== null) return <ErrorPanel message={`${output ?? 'The model'} was not made: ${error}`} hint={hint} />
  if (!witnessed) return null
  if (state === 'stopped') return <Notice title="The conversion was stopped">Nothing was saved; {source} is as it was.</Notice>
  if (state !== 'completed' || result === null) return null
  return (
    <Notice title={`${result.name} is here`}>
      {bytes(result.source_bytes)} became {bytes(result.size_bytes)} in {duration(result.seconds)}.
    </Notice>
  )
}
