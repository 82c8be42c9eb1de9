/** While the server is not heard: since when, and that the run does not need it. */
import { useSelector } from 'react-redux'
import { selectLostAt } from '@/run/reducer/runSlice'
import { timeOfDay } from '@/lib/format'
import { Notice } from '@/ui/feedback/Notice'

export function LostServer({ live }: { readonly live: boolean }) {
  const lostAt = useSelector(selectLostAt)
  if (lostAt === null) return null
  return (
    <Notice tone="warn" className="mb-3" title={`Can’t reach the app’s server. Reconnecting… Last heard ${timeOfDay(lostAt)}.`}>
      {live ? 'The run goes on by itself; the numbers below are the last known ones.' : null}
    </Notice>
  )
}
