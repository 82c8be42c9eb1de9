/** As long as no training file is chosen: one press from here to a trained demo adapter. */
import { useMemo } from 'react'
import type { ModelInfo, StandardStart } from '@/api/generated'
import { suggestedRun, toRequest } from '@/start/fields/form'
import { usePreview } from '@/start/review/usePreview'
import { GuideCard } from './GuideCard'
import { SETUP } from './setupSpec'
import type { StartRequest } from './startKinds'

type Props = {
  readonly models: readonly ModelInfo[]
  /** Adapter names in use. */
  readonly taken: ReadonlySet<string>
  readonly starting: boolean
  readonly onStart: (request: StartRequest) => void
}

export function DemoGuide({ models, taken, starting, onStart }: Props) {
  const demo = models.find((model) => model.defaults && model.problem === null)
  const request = useMemo(
    () => (demo ? toRequest<StandardStart>(SETUP, suggestedRun(SETUP, { model: demo, taken })).request : null),
    [demo, taken],
  )
  const { preview } = usePreview(request)
  if (!demo) return null
  return (
    <GuideCard
      demo={demo}
      estimate={preview?.estimated_seconds ?? null}
      starting={starting}
      onStart={() => (request ? onStart(request) : undefined)}
    />
  )
}
