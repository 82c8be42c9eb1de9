/** Which model is in memory now, how much of it, and a way to give it back. */
import { useEffect, useRef } from 'react'
import { useInferenceWorkerQuery, useUnloadModelMutation } from '@/api/generated'
import { baseName, bytes } from '@/lib/format'
import { LinkButton } from '@/ui/controls/LinkButton'

type Props = {
  /** Nothing is being answered: then its state is asked for anew. */
  readonly settled: boolean
}

export function WorkerLine({ settled }: Props) {
  const { data, refetch } = useInferenceWorkerQuery(undefined, { refetchOnMountOrArgChange: true })
  const [unload, { isLoading }] = useUnloadModelMutation()
  const before = useRef(settled)
  useEffect(() => {
    if (settled && !before.current) void refetch()
    before.current = settled
  }, [settled, refetch])
  const free = async () => {
    await unload()
    void refetch()
  }
  if (!data || data.state === 'none') {
    return <p className="text-small text-faint">No model loaded. The first prompt loads one.</p>
  }
  const memory = data.active_bytes ?? data.resident_bytes
  return (
    <p className="text-small text-faint">
      {data.base ? `${baseName(data.base)} is loaded` : 'Ready'}
      {memory == null ? '' : `, ${bytes(memory)}`}
      {data.waiting ? `, ${data.waiting} waiting` : ''}.{' '}
      <LinkButton className="text-small" disabled={isLoading || !settled} onClick={() => void free()}>
        {isLoading ? 'Unloading…' : 'Unload'}
      </LinkButton>
    </p>
  )
}
