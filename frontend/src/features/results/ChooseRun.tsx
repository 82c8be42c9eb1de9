/** The box that puts a run among those to compare. */
import type { SessionSummary } from '@/api/generated'
import { sessionName } from './sessions'

type Props = { readonly session: SessionSummary; readonly chosen: boolean; readonly onChoose: () => void }

export function ChooseRun({ session, chosen, onChoose }: Props) {
  return (
    <input
      type="checkbox"
      checked={chosen}
      onChange={onChoose}
      aria-label={`Compare ${sessionName(session)}`}
      className="size-4 shrink-0 align-middle accent-accent"
    />
  )
}
